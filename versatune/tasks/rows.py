"""Which rows of a data set are questions of the form that its task file asks."""


def single_choice(docs):
    """SciEval also holds questions with free answers; multiple choice is what has one letter for an answer."""
    return docs.filter(lambda d: d["type"] == "multiple-choice" and len(d["answer"]) == 1 and d["answer"][0] in "ABCD")


def one_letter(docs):
    """LawBench's task 1-2 asks for one letter, in the words: the right answer is X."""
    return docs.filter(lambda d: bool(d["answer"]) and d["answer"].split("：")[-1][:1] in "ABCD")
