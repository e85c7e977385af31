"""``mlpxp approximate``."""

import pytest

QUICK = ("--seeds", 2, "--epochs", 30, "--widths", "2,8")


def test_the_table(run, files):
    result = run("approximate", "sin(3*x)", *QUICK, "--plot", "a.png")
    assert (result.code, result.err) == (0, "")
    lines = [line.split() for line in result.out.splitlines() if line.strip()]
    assert lines[0] == ["sin(3*x)", "on", "[-1,", "1]:", "largest", "error,", "of", "2", "trained", "networks", "each"]
    assert lines[1] == ["width", "parameters", "median", "best", "worst", "median", "RMS", "staircase", "proved", "bound"]
    (two, eight) = (line for line in lines if line[0] in ("2", "8"))
    assert two[:2] == ["2", "7"]
    assert [float(cell) for cell in eight[-2:]] == [0.3162, 0.3336]
    assert float(two[3]) <= float(two[2]) <= float(two[4])
    assert files()["a.png"] > 10_000


def test_json(run):
    found = run("approximate", "exp(x)", "--interval", "0:e/2", *QUICK, "--activation", "relu", "--json").json
    assert found["function"] == "exp(x)"
    assert found["box"] == [[0.0, pytest.approx(1.35914)]]
    assert found["lipschitz"] == pytest.approx(3.8929, rel=1e-3)
    assert (found["activation"], found["seeds"], found["epochs"], found["dtype"]) == ("relu", 2, 30, "float64")
    assert [row["width"] for row in found["widths"]] == [2, 8]
    assert all(row["staircase"] <= row["bound"] and len(row["max_errors"]) == 2 for row in found["widths"])


def test_several_variables_have_no_staircase(run, files):
    result = run("approximate", "x1*x2", "--box", "0:1,-pi:pi", *QUICK, "--plot", "a.svg")
    assert result.code == 0
    assert "x1*x2 on [0, 1] x [-3.14159, 3.14159]" in result.out
    assert "staircase" not in result.out
    assert "a.svg" in files()


def test_one_width_and_a_leading_minus(run):
    assert run("approximate", "--widths", "2", "--seeds", "1", "--epochs", "2", "--plot", "a.pdf", "--", "-x").code == 0


def test_a_backend_without_float64_gets_float32(run):
    result = run("approximate", "x", *QUICK, "--backend", "strict", "--device", "no_float64", "--json")
    assert result.json["dtype"] == "float32"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("1/x",), "1/x must be finite all over the box, got inf at x = 0"),
        (("1/(x - 0.123456)",), "near x = 0.123456 no bound was found"),
        (("sin(y)",), "an expression may use x, "),
        (("erf(x)",), "a function must be one of sin, "),
        (("sin(3x)",), "which can't be read at character"),
        (("9**9**9**9",), "an exponent must be from -100 to 100"),
        (("__import__('os').system('true')",), "an expression may hold numbers"),
        (("x1*x2", "--interval", "0:1"), "got 'x2'"),
        (("x", "--interval", "1"), "interval must be LOW:HIGH, such as -1:1, got '1'"),
        (("x", "--interval", "0:1,0:1"), "interval must be LOW:HIGH"),
        (("x", "--box", "0:1:2"), "box must be LOW:HIGH for each variable"),
        (("x", "--interval", "1:0"), "with low < high"),
        (("x", "--interval", "a:1"), "may use pi, e, sin"),
        (("x", "--interval", "0:1", "--box", "0:1"), "give one of them"),
        (("x", "--widths", "0"), "widths must be whole numbers from 1, such as 1,2,4, got '0'"),
        (("x", "--widths", "none"), "widths must be whole numbers from 1"),
        (("x", "--widths", "8,x"), "got '8,x'"),
        (("x", "--widths", "99999999"), "parameters together: wanted at most"),
        (("x", "--seeds", "0"), "seeds must be a whole number from 1"),
        (("x", "--epochs", "0"), "epochs must be a whole number from 1"),
        (("x", "--learning-rate", "0"), "learning_rate must be a positive number"),
        (("x", "--activation", "swish"), "activation must be one of"),
        (("x", "--activation", "softmax"), "softmax can only be the output"),
        (("x", "--dtype", "float16"), "dtype must be float32 or float64"),
        (("x", "--backend", "abacus"), "backend must be auto or one of"),
        (("x", "--device", "cuda:7"), "device must be one that backend"),
        (("x", "--plot", "a.txt"), "a picture must be named"),
        (("x", "--plot", "nowhere/a.png"), "nowhere"),
        ((), "Missing argument 'FUNCTION'"),
    ],
)
def test_bad_input_is_one_line(run, files, arguments, says):
    result = run("approximate", *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("mlpxp: error: ")
    assert result.err.count("\n") == 1
    assert says in result.err
    assert not files()
