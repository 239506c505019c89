"""The one thing that the form of a task file cannot say: which rows count."""

import re


def _has_one_letter(row):
    return re.fullmatch("正确答案：[A-D]。?", row["answer"].strip()) is not None


def one_letter(rows):
    """Rows whose answer is one of the letters A to D; several have no single likeliest one."""
    return rows.filter(_has_one_letter)
