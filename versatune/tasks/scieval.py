"""The one thing that the form of a task file cannot say: which rows count."""


def multiple_choice(rows):
    """Rows whose answer is one of the letters A to D."""
    return rows.filter(lambda r: r["type"] == "multiple-choice" and bool(r["answer"]) and r["answer"][0].strip() in ("A", "B", "C", "D"))
