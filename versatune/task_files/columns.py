"""The columns of the CSV files on the hub, all read as text.

Files of one data set have further columns that differ,
and a column of numbers in one file is words in the next.
"""

from datasets import Features, Value

fineval = Features({c: Value("string") for c in ("question", "A", "B", "C", "D", "answer")})
financeiq = Features({c: Value("string") for c in ("Question", "A", "B", "C", "D", "Answer")})
