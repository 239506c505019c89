"""The directive `{module} NAME`: a module's public names, read from its source, nothing imported.

A signature is shown as it is written, with the comments that say what each argument is.
"""

import ast
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
    path = source.split("# File to edit: ")[-1].split("File to edit: ../")[-1].split(".ipynb")[0]
    text = [f"(module-{module})=", f"## {module}", ""]
    text += [f"{ast.get_docstring(ast.parse(source))} ([the lesson](/{path}.ipynb))", ""]
    for name, code, docstring in members(source):
        text += [f"### `{name}`", "", "````python", *code, "````", ""]
        text += [*(docstring or "").splitlines(), ""]
    return "\n".join(text)


class ModuleReference(SphinxDirective):
    "The public names of the module given, under a heading of its own."

    required_arguments = 1

    def run(self):
        module = self.arguments[0]
        path = ROOT / "versatune" / f"{module.replace('.', '/')}.py"
        self.env.note_dependency(str(path))
        text = page_of(module, path.read_text(encoding="utf-8"))
        return self.parse_text_to_nodes(text, allow_section_headings=True)
