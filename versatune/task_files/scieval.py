"""The one thing that the form of a task file cannot say: which rows count."""


def multiple_choice(rows):
    """Rows whose answer is one of the letters A to D, and only one."""
    return rows.filter(
        lambda r: (
            r["type"] == "multiple-choice"
            and len(r["answer"]) == 1
            and r["answer"][0].strip() in ("A", "B", "C", "D")
        )
    )
