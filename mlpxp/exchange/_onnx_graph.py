"""A graph as ndonnx writes it, made as short as it would be written by hand: other tools read, quantize and compile that more readily."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper, numpy_helper

__all__ = ["shorten"]


def shorten(graph: Any) -> None:
    """Leave out of a graph's protobuf, in place, what changes no result.

    ndonnx looks at each product and reduction whether an array is empty, and has a branch that makes the empty result by itself. ONNX's
    own operators give the same for no examples, so the other branch alone is kept. And what the first layer reads isn't transposed, but
    what it makes of it: onnxruntime before 1.26 fuses a transposition with the product that reads it, and then can't run it in float64.
    """
    nodes = list(_without_branches(graph.node))
    outputs = {output.name for output in graph.output}
    _drop_copies(nodes, outputs)
    nodes = _needed(list(_with_rows(nodes)), outputs)
    weights = {node.output[0]: node.attribute[0].t for node in nodes if _is_array(node)}
    for name, tensor in weights.items():
        graph.initializer.add().CopyFrom(tensor)
        graph.initializer[-1].name = name
    kept = [type(node).FromString(node.SerializeToString()) for node in nodes if node.output[0] not in weights]
    del graph.node[:]
    graph.node.extend(kept)


def _without_branches(nodes: Any) -> Any:
    """Yield the nodes with what is done where nothing is empty in the place of each ``If``."""
    for node in nodes:
        if node.op_type != "If":
            yield node
            continue
        (branch,) = (attribute.g for attribute in node.attribute if attribute.name == "else_branch")
        yield from _without_branches(branch.node)
        for inner, outer in zip(branch.output, node.output, strict=True):
            yield type(node)(op_type="Identity", input=[inner.name], output=[outer])


def _drop_copies(nodes: list[Any], outputs: set[str]) -> None:
    """Let everybody who reads a copy read what it is a copy of."""
    original: dict[str, str] = {}
    for node in nodes:  # each comes after those that it reads
        for index, name in enumerate(node.input):
            node.input[index] = original.get(name, name)
        if node.op_type == "Identity" and node.output[0] not in outputs:
            original[node.output[0]] = node.input[0]


def _with_rows(nodes: list[Any]) -> Any:
    """Yield the nodes with (X Wᵀ)ᵀ in the place of W Xᵀ."""
    made_by = {node.output[0]: node for node in nodes}
    for node in nodes:
        W, rows = (made_by.get(name) for name in node.input) if node.op_type == "MatMul" else (None, None)
        if W is None or rows is None or not _is_array(W) or rows.op_type != "Transpose":
            yield node
            continue
        turned = np.swapaxes(numpy_helper.to_array(W.attribute[0].t), -1, -2)
        name = node.output[0]
        yield helper.make_node("Constant", [], [f"{name}_W"], value=numpy_helper.from_array(np.ascontiguousarray(turned)))
        yield helper.make_node("MatMul", [rows.input[0], f"{name}_W"], [f"{name}_rows"])
        swapped = [*range(turned.ndim - 2), turned.ndim - 1, turned.ndim - 2]
        yield helper.make_node("Transpose", [f"{name}_rows"], [name], perm=swapped)


def _needed(nodes: list[Any], outputs: set[str]) -> list[Any]:
    """Return the nodes that an output depends on."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]


def _is_array(node: Any) -> bool:
    return bool(node.op_type == "Constant" and node.attribute[0].name == "value")
