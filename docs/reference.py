"""The directive `{reference} GROUP`: public names of modules, read from their source.

Nothing is imported. GROUP is one of the table in nbs/index.ipynb, or the name of a module.
A signature is shown as it is written, with the comments that say what each argument is.
"""

import ast
import json
import re
import tokenize
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[1]


def exported(tree):
    "The names in `__all__` of a module, functions, classes and values."
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__":
            return ast.literal_eval(node.value)
    return []


def header(node, lines):
    "The header of a function as it is written, up to the colon before its body."
    depth, readline = 0, iter([line + "\n" for line in lines[node.lineno - 1 :]]).__next__
    for token in tokenize.generate_tokens(readline):
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
            if token.string == ":" and depth == 0:
                return lines[node.lineno - 1 : node.lineno - 1 + token.start[0]]


def fields(node, lines):
    "The fields of a class as they are written, and the header of its `__init__`."
    shown = [lines[node.lineno - 1]]
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and not part.target.id.startswith("_"):
            shown += lines[part.lineno - 1 : part.end_lineno]
        elif isinstance(part, ast.FunctionDef) and part.name == "__init__":
            shown += header(part, lines)
    return shown


def owner(node):
    "The class that a `@patch` function is a method of; '' for a plain function."
    decorators = [ast.unparse(d).split("(")[0] for d in node.decorator_list]
    return ast.unparse(node.args.args[0].annotation) if "patch" in decorators else ""


def members(source):
    "(name, code, docstring) of each public class, function and method of a module, in its order."
    tree, lines, found = ast.parse(source), source.splitlines(), []
    public = exported(tree)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in public:
            found.append((node.name, fields(node, lines), ast.get_docstring(node)))
        elif isinstance(node, ast.FunctionDef):
            method_of = owner(node)
            special = node.name.startswith("_") or method_of.startswith("_")
            if not special and (method_of or node.name in public):
                name = f"{method_of}.{node.name}".lstrip(".")
                found.append((name, header(node, lines), ast.get_docstring(node)))
    return found


def page_of(module, source):
    "The Markdown of a module: what it is, its lesson, and a heading for each public name."
    path = re.search(r"nbs/[\w/]+(?=\.ipynb)", source)[0]
    text = [f"(module-{module})=", f"## {module}", ""]
    text += [f"{ast.get_docstring(ast.parse(source))} ([the lesson](/{path}.ipynb))", ""]
    for name, code, docstring in members(source):
        text += [f"### `{name}`", "", "````python", *code, "````", ""]
        text += [*(docstring or "").splitlines(), ""]
    return "\n".join(text)


def lessons(group):
    "The modules of a group of lessons, as the table of nbs/index.ipynb has them."
    cells = json.loads((ROOT / "nbs/index.ipynb").read_text(encoding="utf-8"))["cells"]
    modules, current = [], ""
    for line in "".join("".join(cell["source"]) + "\n" for cell in cells).splitlines():
        row = re.match(r"\| *(.*?) *\| \[\d\d\w?_(\w+)\]\(", line)
        if row:
            current = row[1] or current
            modules += [row[2]] if current == group else []
    return modules


class Reference(SphinxDirective):
    "The public names of the modules of a group of lessons, or of one module, under headings."

    required_arguments, final_argument_whitespace = 1, True

    def run(self):
        group, pages = self.arguments[0], []
        for module in lessons(group) or [group]:
            path = ROOT / "versatune" / f"{module.replace('.', '/')}.py"
            self.env.note_dependency(str(path))
            source = path.read_text(encoding="utf-8")
            if members(source):
                pages.append(page_of(module, source))
        return self.parse_text_to_nodes("\n".join(pages), allow_section_headings=True)
