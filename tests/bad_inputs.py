"""Bad inputs as data: how it is read | the file | what stands in it | words of the answer.

In what stands in a file, \\n is the end of a line and \\xNN a byte. `none` is a file that is not
there.
"""

FILES = r"""
data | law.jsonl | {"prompt": "a", "completion": "b"} | it needs two or more
data | law.jsonl | {"prompt": "a"}\n | law.jsonl, row 1
data | law.jsonl | {"prompt": "a", "completion": "b"}\n{"prompt": "a" | row 2: not valid JSON
data | law.jsonl | {"prompt": "a", "completion": "b"}\n[1, 2]\n | row 2: is no object
data | law.jsonl | {"prompt": "a", "completion": 3}\n | completion
data | law.jsonl | {"prompt": "a", "completion": null}\n | completion
data | law.jsonl | {"prompt": "a", "completion": ""}\n | row 1
data | law.jsonl | {"prompt": "a", "prompt": "b", "completion": "c"}\n | stands there twice
data | law.jsonl | {"prompt": "a", "completion": "b", "system_prompt": "c"}\n | system_prompt
data | law.jsonl | {"text": "a"}\n | row 1
data | law.jsonl | {"instruction": "a", "text": "b", "output": "c"}\n | field 'text' is not read
data | law.jsonl | {"prompt": [{"role": "assistant", "content": "a"}], "completion": "b"}\n | ends
data | train.jsonl | {"prompt": "a", "completion": "b"}\n | is the train part of a domain
data | law.jsonl | {"prompt": "\xff", "completion": "b"}\n | UTF-8
data | law.jsonl | {"messages": []}\n | has no response
data | law.jsonl | {"messages": "hello"}\n | messages
data | law.jsonl | {"messages": [{"role": "user", "content": "a"}]}\n | row 1
data | law.jsonl | {"messages": [{"role": "judge", "content": "a"}]}\n | role
data | law.jsonl | {"messages": [{"content": "a"}]}\n | role
data | law.jsonl | {"messages": [{"role": "function_call", "content": "f()"}]}\n | calls a tool
data | law.jsonl | {"conversations": [{"from": "human"}]}\n | row 1
data | law.jsonl | {"input": "a", "output": "b"}\n{"prompt": "a", "completion": "b"}\n | row
data | law.jsonl | | holds no rows
data | law.json | {"prompt": "a", "completion": "b"} | must hold a list
data | law.json | [{"prompt": "a", "completion": "b"} | not valid JSON
data | law.json | [] | holds no rows
data | law.csv | prompt;completion\na;b\n | save it with commas
data | law.csv | prompt,completion\na\n | row 1 has 1 fields
data | law.csv | prompt,prompt\na,b\n | stands there twice
data | law.csv | prompt,completion\n | holds no rows
data | law.csv | prompt,completion\n\xe9,b\n | cannot be read as csv
data | law.csv | prompt,completion\n"a,b\n | cannot be read as csv
data | law.parquet | PAR1 | cannot be read as parquet
data | law.jsonl.gz | no gzip | cannot be read as jsonl.gz
data | law.txt | a text | law.txt
data | law/heldout.jsonl | {"prompt": "a", "completion": "b"}\n | domain 'law' is empty
data | law/train.txt | a text | train.txt
data | names.yaml | law: none.jsonl | none.jsonl: no such file
data | names.yaml | law: {tarin: a.jsonl} | field 'tarin'
data | names.yaml | law: {heldout: a.jsonl} | no field 'train'
data | names.yaml | law: 3 | law
data | names.yaml | [law] | must map each domain
data | names.yaml | 1: a.jsonl | put it in quotes
data | names.yaml | law: a\nlaw: b | stands there twice
data | names.yaml | law: [ | not valid YAML
data | names.yaml | ../law: a.jsonl | domain name '../law'
data | names.yaml | law: !!python/object/apply:os.system [ls] | not valid YAML
data | names.yaml | | must map each domain
choices | q.jsonl | {"question": "a", "choices": ["b"], "answer_index": 0}\n | choices
choices | q.jsonl | {"question": "a", "choices": ["b", "b"], "answer_index": 0}\n | different texts
choices | q.jsonl | {"question": "a", "choices": ["b", "c"], "answer_index": 2}\n | answer_index
choices | q.jsonl | {"question": "a", "choices": ["b", "c"]}\n | row 1
choices | q.jsonl | {"question": 3, "choices": ["b", "c"], "answer_index": 0}\n | question
choices | q.csv | question,A,B,answer\na,b,c,D\n | row 1
weights | w.json | {} | w.json
weights | w.json | {"law": true} | law
weights | w.json | {"law": 1e999} | law
weights | w.json | {"law": 0.5, "law": 0.5} | stands twice
weights | w.json | {"law": 0} | w.json
weights | w.json | {"weights": {"law": -1}} | law
config | c.yaml | train: {rounds: many} | train.rounds
config | c.yaml | train: {rounds: 0} | rounds
config | c.yaml | tarin: {rounds: 1} | tarin
config | c.yaml | precision: int4 | precision
config | c.yaml | rule: {name: Magic} | Magic
config | c.yaml | rule: {name: [1]} | rule.name
config | c.yaml | model: [ | no YAML
config | c.yaml | model: a\nmodel: b | stands there twice
config | c.yaml | train: {rounds: 1}\ntrain: {batch_size: 2} | stands there twice
config | c.yaml | just words | settings are lines
config | c.yaml | \xff\xfe | no YAML
config | c.json | [1] | settings are lines
classifier | c.npz | | classifier
classifier | c.npz | PK\x03\x04 | classifier
classifier | c.npz | words | no .npz file
labels | l.jsonl | ["law"]\n | l.jsonl
labels | l.jsonl | \xff\n | UTF-8
labels | none | | no such file of labels
profile | p.json | {"weights": {"law": 1.0}} | not a saved KnowledgeProfile
profile | p.json | [] | not a saved KnowledgeProfile
results | r.json | {"frame": [], "items": 3} | holds no results
results | r.json | {"frame": [{"domain": "law"}], "items": {}} | holds no results
history | h.json | {"rounds": []} | rounds is empty
history | h.json | {"rounds": [{"round": 1, "weights": {"a": 1}, "losses": {"a": 1}}]} | round is 1
history | h.json | {"rounds": [{"round": 0, "weights": {"a": 1}, "losses": {"a": -1}}]} | losses
references | r.json | {"key": "other", "by_epoch": {}} | of another proxy
references | r.json | [] | holds no reference losses
references | r.json | {"key": "k", "by_epoch": {"law": {"train": [1]}}} | holds no reference losses
samples | s.jsonl | words\n | line 1 is not valid JSON
samples | s.jsonl | {"versatune": "samples", "seed": 1}\n | was sampled with seed=1, not 0
samples | s.jsonl | {"versatune": "other"}\n | is no file of samples
samples | s.jsonl | {"versatune": "samples", "seed": 0}\n{"text": "a"}\n | line 2: field 'n_tokens'
samples | s.jsonl | {"versatune": "samples", "seed": 0}\n[1]\n | line 2 is a list
table | weights.csv | a,b\n1,2,3,4\n"x | not a table in CSV
template | chat_template.jinja | {% for m in messages %} | chat template
model | config.json | [] | MODEL
model | config.json | {"model_type": "unheard_of"} | MODEL
model | adapter_config.json | {"peft_type": "LORA"} | MODEL
model | notes.txt | words | holds neither config.json nor adapter_config.json
model | model.gguf | GGUF | cannot be read as a GGUF
"""
