"""Cross-references from docstrings, which name a thing by where it is defined, to the page of its public name.

What has no page but is there, in some module of mlpxp, is shown as code. What isn't there is left to Sphinx, which warns.
"""

import sys
from enum import Enum
from importlib import import_module
from inspect import isbuiltin
from types import DynamicClassAttribute

from docutils import nodes

ROOMS = ("", "plotting.", "data.", "textbook.", "arrays.backend.")  # where public names are, beside the docstring's own module
LIBRARY = "mlpxp"


def resolve(app, env, node, contnode):
    """Find the page of a name that stands in a docstring, or show it as code."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    last = target.rpartition(".")[2]
    objects = env.get_domain("py").objects
    for room in ROOMS:
        found = objects.get(f"{LIBRARY}.{room}{last}")
        if found is not None and _same(f"{LIBRARY}.{room}{last}", target):
            reference = nodes.reference("", "", contnode, internal=True)
            reference["refuri"] = app.builder.get_relative_uri(node["refdoc"], found.docname) + "#" + found.node_id
            return reference
    return contnode if _is_there(target) else None


def _same(public, target):
    """Whether a target is the object of that public name: by itself, or by where it is defined."""
    return target in {public.rpartition(".")[2], public} or _find(public) is _find(target)


def _find(target):
    """The object of a dotted name, or ``None``."""
    parts = target.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part, None)
        return found
    return None


def _is_there(target):
    if target.startswith(f"{LIBRARY}."):
        return _find(target) is not None
    first, *rest = target.split(".")
    modules = [module for name, module in list(sys.modules.items()) if name.startswith((f"{LIBRARY}.", f"{LIBRARY}_backends."))]
    return any(first in vars(module) and (not rest or _find(f"{module.__name__}.{target}") is not None) for module in modules)


def skip(app, what, name, obj, skipped, options):
    """Show an enumeration's values; leave out what is Python's or scikit-learn's, and a named tuple's fields, which its docstring has."""
    if isinstance(obj, Enum):
        return False
    if isbuiltin(obj) or isinstance(obj, DynamicClassAttribute) or type(obj).__name__ == "_tuplegetter":
        return True
    home = getattr(getattr(obj, "__objclass__", obj), "__module__", None)
    return True if callable(obj) and home and not home.startswith(LIBRARY) else None


def unsigned(app, what, name, obj, options, signature, returned):
    """A protocol has no signature of its own: nobody makes one."""
    return ("", None) if getattr(obj, "_is_protocol", False) else None


def setup(app):
    """Tell Sphinx."""
    app.connect("missing-reference", resolve)
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-signature", unsigned)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
