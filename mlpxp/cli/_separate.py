"""``mlpxp separate``: whether a hyperplane separates the classes of some data, with the proof (P1, P2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlpxp.data import Label, Table
    from mlpxp.textbook.separability import Separation

__all__ = ["separate"]

LARGEST = 2**53  # up to which a float64 holds every whole number
MOST_CLASSES = 100


def separate(
    data: Annotated[str, typer.Argument(metavar="DATA", show_default=False, help="As for mlpxp train: a file, or a built-in set's name.")],
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column with the classes; needed for CSV and Parquet.")] = None,
    drop: Annotated[list[str] | None, typer.Option(metavar="COLUMNS", help="Columns to leave out: id,date.")] = None,
    label: Annotated[
        str | None, typer.Option("--class", metavar="LABEL", help="Only this class against the rest, with the proof in full.")
    ] = None,
    most: Annotated[int, typer.Option(metavar="N", min=1, help="Examples of a proof that are shown.")] = 12,
    plot: Annotated[str | None, typer.Option(metavar="FILE", help="Draw it, of two features: .png, .svg or .pdf.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Find a hyperplane between two classes, or prove that there is none; of more classes, each against the rest."""
    from mlpxp.cli._options import check_outputs, names
    from mlpxp.cli._progress import busy
    from mlpxp.data import load
    from mlpxp.errors import RangeError
    from mlpxp.textbook.separability import separate as find

    if plot is not None:
        from mlpxp.plotting import check_picture

        check_picture(plot)
    check_outputs({"plot": plot}, read=(data,))
    table = load(data, target=target, drop=names(drop or ()))
    X, (labels, codes) = _features(table), _classes(table)
    chosen = _chosen(labels, label)
    if plot is not None and len(chosen) != 1:
        raise RangeError(f"a picture shows two classes, and these are {len(labels)}: choose one against the rest with --class LABEL")
    found: dict[Label, Separation] = {}
    with busy() as tell:
        for one in chosen:
            tell(f"separating {one}")
            found[one] = find(X, _two(labels, codes, one))
    if plot is not None:
        from mlpxp.plotting import save_figure
        from mlpxp.textbook import plot_separation

        for one, answer in found.items():
            figure = plot_separation(X, _two(labels, codes, one), answer)
            figure.axes[0].set_xlabel(table.feature_names[0])
            figure.axes[0].set_ylabel(table.feature_names[1])
            save_figure(figure, plot)
    if as_json:
        _print_json(table, found, plot)
    else:
        _print(table, found, most, plot)


def _features(table: Table) -> NDArray[Any]:
    """The features as the exact numbers that they are."""
    import numpy as np

    from mlpxp.data import Matrix
    from mlpxp.data.missing import check_features, refuse_useless
    from mlpxp.errors import DataError

    refuse_useless(table)
    check_features(table, allow_missing=False, remedy="correct or remove those rows")
    if isinstance(table.features, Matrix):
        return table.features.values
    for column in table.columns:
        if column.kind == "text":
            raise DataError(
                f"{table.name}: column {column.name!r} holds text, and a hyperplane is of numbers: leave it out with --drop {column.name!r}"
            )
        if column.values.dtype.kind in "iu" and len(column) and int(np.abs(column.values).max()) > LARGEST:
            raise DataError(f"{table.name}: column {column.name!r} holds whole numbers above 2^53, which float64 would round")
    return np.column_stack([column.values.astype("float64") for column in table.columns])


def _classes(table: Table) -> tuple[tuple[Label, ...], NDArray[np.int64]]:
    """The classes, and the number of each example's."""
    from mlpxp.errors import DataError

    assert table.target is not None  # load refuses data without one
    labels, codes = table.target.distinct()
    missing = int((codes < 0).sum())
    if missing:
        first = table.where(int((codes < 0).argmax()))
        raise DataError(f"{table.name}: the target {table.target.name!r} is missing in {first}, one of {missing:,}: correct or remove them")
    if len(labels) < 2:
        raise DataError(f"{table.name}: the target {table.target.name!r} must have two classes or more, got {len(labels)}")
    if len(labels) > MOST_CLASSES:
        raise DataError(
            f"{table.name}: the target {table.target.name!r} has {len(labels):,} different values: wanted classes, {MOST_CLASSES} at most"
        )
    return labels, codes


def _chosen(labels: tuple[Label, ...], label: str | None) -> tuple[Label, ...]:
    """Which classes are separated from the rest: of two, the second from the first."""
    from mlpxp.errors import UnknownNameError

    if label is None:
        return labels if len(labels) > 2 else labels[1:]
    for one in labels:
        if str(one) == label:
            return (one,)
    raise UnknownNameError(f"class must be one of {', '.join(map(str, labels[:20]))}, got {label!r}")


def _two(labels: tuple[Label, ...], codes: NDArray[np.int64], one: Label) -> NDArray[Any]:
    """The labels of all examples where one class stands against the rest."""
    import numpy as np

    if len(labels) == 2:
        return np.asarray(labels)[codes]
    return np.where(codes == labels.index(one), str(one), f"not {one}")


def _print(table: Table, found: dict[Label, Separation], most: int, plot: str | None) -> None:
    from mlpxp.cli._report import Report
    from mlpxp.cli._wording import counted, number

    report = Report()
    names = table.feature_names
    report.text(f"{table.name}: {counted(len(table), 'example')}, {counted(len(names), 'feature')}")
    if len(found) > 1:
        report.table(
            ("class", "against the rest", "margin", "contradictory"),
            [
                (str(label), "a hyperplane", number(one.margin), "")
                if one.separable
                else (str(label), "none", "", f"{counted(len(one.constraints), 'example')} of {len(table):,}")
                for label, one in found.items()
            ],
            right=(2,),
        )
        report.note("--class LABEL shows one of them with its proof")
        return
    report.text(f"where {', '.join(f'x{index} is {name}' for index, name in enumerate(names[:12], start=1))}{', ...' * (len(names) > 12)}")
    for one in found.values():
        report.text(one.explain(most=most))
    if plot is not None:
        report.written({"plot": plot})


def _print_json(table: Table, found: dict[Label, Separation], plot: str | None) -> None:
    from mlpxp.cli._wording import print_json

    def told(one: Separation) -> dict[str, Any]:
        certificate = None if one.certificate is None else {str(each.index): each.multiplicity for each in one.constraints}
        return {
            "classes": one.classes,
            "separable": one.separable,
            "w": one.w,
            "b": one.b,
            "margin": one.margin,
            "certificate": certificate,
        }

    answers = [{"class": label} | told(one) for label, one in found.items()]
    shown = {"data": table.name, "rows": len(table), "features": table.feature_names, "answers": answers, "plot": plot}
    print_json(shown)
