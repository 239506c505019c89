"""The one thing that the form of a task file cannot say: which rows count."""


def _has_one_letter(row):
    answer = row["answer"]
    one = len(answer) == 1 and answer[0].strip() in ("A", "B", "C", "D")
    return row["type"] == "multiple-choice" and one


def multiple_choice(rows):
    """Rows whose answer is one of the letters A to D, and only one."""
    return rows.filter(_has_one_letter)
