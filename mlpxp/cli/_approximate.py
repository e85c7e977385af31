"""``mlpxp approximate``: how well networks of one hidden layer approximate a function (U1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mlpxp.textbook.approximation import WidthStudy

__all__ = ["approximate"]

MOST_PARAMETERS = 2**26  # of all the networks of a width together: what is kept of their training is several times that

Function = Annotated[
    str,
    typer.Argument(
        metavar="FUNCTION",
        show_default=False,
        help="A formula in x, or in x1, x2, ...: 'sin(3*x)', 'exp(-x1**2)*x2'; or sine, runge, kink, root, wave, sawtooth, composition, "
        "saddle, ripple. One that begins with a minus comes last, after --.",
    ),
]


def _option(metavar: str, text: str, panel: str) -> Any:
    return typer.Option(metavar=metavar, help=text, rich_help_panel=panel)


def approximate(
    function: Function,
    interval: Annotated[str | None, _option("LOW:HIGH", "Of a function of one variable; -1:1 by default.", "The function")] = None,
    box: Annotated[str | None, _option("LOW:HIGH,...", "An interval for each variable: 0:1,-pi:pi.", "The function")] = None,
    widths: Annotated[str, _option("WIDTHS", "Of the hidden layer.", "The networks")] = "1,2,4,8,16,32,64",
    activation: Annotated[str, _option("NAME", "Of the hidden layer: tanh, sigmoid, relu, ...", "The networks")] = "tanh",
    seeds: Annotated[int, _option("N", "How many networks of each width.", "The training")] = 5,
    epochs: Annotated[int, _option("N", "Of each network.", "The training")] = 1500,
    learning_rate: Annotated[float, _option("ETA", "Adam's; it falls to 0 along half a cosine.", "The training")] = 0.03,
    dtype: Annotated[str | None, _option("NAME", "float64, where the device has it, or float32.", "The training")] = None,
    backend: Annotated[
        str,
        typer.Option(
            "--backend", envvar="MLPXP_BACKEND", metavar="NAME", help="The array library: numpy, cupy, torch, jax; see mlpxp backends."
        ),
    ] = "auto",
    device: Annotated[str | None, typer.Option("--device", metavar="NAME", help="Where it runs: cpu, cuda, cuda:1.")] = None,
    plot: Annotated[str | None, typer.Option(metavar="FILE", help="Draw it: .png, .svg or .pdf.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Approximate a function by networks of one hidden layer: error against width, trained and, of one variable, constructed."""
    from mlpxp.cli._options import check_outputs
    from mlpxp.cli._progress import measuring
    from mlpxp.cli._report import Report
    from mlpxp.errors import RangeError
    from mlpxp.textbook.approximation import Fitting, error_against_width, make_target

    if interval is not None and box is not None:
        raise RangeError("--interval and --box say the same: give one of them")
    sides = _sides("interval", interval) if interval is not None else None if box is None else _sides("box", box)
    hidden = _whole(widths)
    if plot is not None:
        from mlpxp.plotting import check_picture

        check_picture(plot)
    check_outputs({"plot": plot}, read=())
    target = make_target(function, sides)
    fitting = Fitting(
        seeds=seeds,
        epochs=epochs,
        learning_rate=learning_rate,
        backend=backend,
        device=device,
        dtype=dtype or _finest(backend, device),
    )
    largest = seeds * (target.dimension + 2) * max(hidden)
    if largest > MOST_PARAMETERS:
        raise RangeError(f"the widest networks would have {largest:,} parameters together: wanted at most {MOST_PARAMETERS:,}")
    with measuring() as tell:
        study = error_against_width(target, hidden, activation=activation, fitting=fitting, tell=tell)
    if plot is not None:
        _draw(study, plot)
    if as_json:
        _print(study, plot)
    else:
        Report().approximation(study, plot)


def _whole(text: str) -> tuple[int, ...]:
    """Read ``1,2,4``."""
    from mlpxp.errors import RangeError

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 0 < len(part) < 19 and int(part) for part in parts):
        raise RangeError(f"widths must be whole numbers from 1, such as 1,2,4, got {text!r}")
    return tuple(int(part) for part in parts)


def _sides(option: str, text: str) -> tuple[tuple[float, float], ...]:
    """Read ``0:1,-pi:pi``; the ends may be formulas."""
    from mlpxp.errors import RangeError
    from mlpxp.textbook.approximation import parse_number

    parts = [part.split(":") for part in text.split(",")]
    if any(len(part) != 2 for part in parts) or (option == "interval" and len(parts) > 1):
        wanted = "LOW:HIGH, such as -1:1" if option == "interval" else "LOW:HIGH for each variable, such as 0:1,-pi:pi"
        raise RangeError(f"{option} must be {wanted}, got {text!r}")
    return tuple((parse_number(low), parse_number(high)) for low, high in parts)


def _finest(backend: str, device: str | None) -> str:
    """The finest dtype that the device has."""
    from mlpxp.arrays.backend import get_backend

    listed = get_backend(backend).devices()
    chosen = next((one for one in listed if one.name == device), None) or next(iter(listed), None)
    return "float64" if chosen is None or chosen.float64 else "float32"


def _draw(study: WidthStudy, path: str) -> None:
    from mlpxp.plotting import save_figure
    from mlpxp.plotting.style import figure_class
    from mlpxp.textbook import plot_approximation, plot_error_against_width

    if study.target.dimension > 1:
        save_figure(plot_error_against_width(study), path)
        return
    figure = figure_class()(figsize=(8.6, 7.6), dpi=144, layout="constrained")
    upper, lower = figure.subplots(nrows=2)
    middle = len(study.widths) // 2
    shown = dict.fromkeys((middle, len(study.widths) - 1))  # one of them, if there is only one width
    plot_approximation(study.target, study.constructed[middle], *(study.trained[index] for index in shown), ax=upper)
    plot_error_against_width(study, ax=lower, title="error against width")
    save_figure(figure, path)


def _print(study: WidthStudy, plot: str | None) -> None:

    from mlpxp.cli._wording import print_json

    rows = zip(study.widths, study.trained, study.constructed or (None,) * len(study.widths), strict=True)
    found = {
        "function": study.target.name,
        "box": study.target.box,
        "lipschitz": study.target.lipschitz,
        "curvature": study.target.curvature,
        "activation": study.trained[0].network.hidden[0].name,
        "seeds": study.fitting.seeds,
        "epochs": study.fitting.epochs,
        "dtype": study.fitting.dtype,
        "widths": [
            {
                "width": width,
                "parameters": trained.network.n_parameters,
                "max_errors": trained.max_error,
                "rms_errors": trained.rms_error,
                "staircase": None if built is None else built.max_error,
                "bound": None if built is None or built.bound is None else built.bound.value,
            }
            for width, trained, built in rows
        ],
        "plot": plot,
    }
    print_json(found)
