"""Network files: what they may say, and the one sentence that each mistake is answered with."""

import contextlib
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
import sympy

from symbackprop.errors import EquationError, SizeError, SymbackpropError, UnreadableError, UsageError
from symbackprop.layers.dense import Dense
from symbackprop.network import describe, network_program
from symbackprop.notation.expressions import size
from symbackprop.specification.toml import RunSettings, load

NETWORK = """
[network]
name = "2-3-1"
inputs = 2
loss = "half_squared_error"
[[layers]]
type = "dense"
units = 3
activation = "sigmoid"
bias = true
[[layers]]
type = "dense"
units = 1
"""
CLASSIFIER = """
[network]
inputs = "D"
loss = "categorical_cross_entropy"
[[layers]]
type = "dense"
units = "K"
activation = "softmax"
"""
PROGRAM = """
[program]
inputs = { x = ["N", "D"] }
targets = { y = ["N", "K"] }
parameters = { W = ["K", "D"] }
equations = ["z[n,k] = Sum(W[k,i]*x[n,i], i)", "L = Sum((z[n,k]-y[n,k])**2, n, k)/N"]
loss = "L"
"""


@pytest.fixture
def read(tmp_path):
    """Load a file of the given text; further keyword files are written beside it."""

    def load_text(text, **files):
        for name, content in files.items():
            beside = tmp_path / name.replace("_", ".")
            beside.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
        path = tmp_path / "net.toml"
        path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
        return load(path)

    return load_text


def refused(read, kind, says, text, **files):
    with pytest.raises(kind) as caught:
        read(text, **files)
    message = str(caught.value)
    assert says in message, message
    assert "net.toml" in message or "points" in message
    assert "\n" not in message


# What a file may say


def test_a_network(read, tmp_path):
    specification = read(NETWORK)
    expected = describe(2, [Dense(3, "sigmoid"), Dense(1)], "half_squared_error", name="2-3-1")
    assert specification.description == expected
    assert specification.program == network_program(expected)
    assert (specification.name, specification.path) == ("2-3-1", tmp_path / "net.toml")
    assert (specification.sizes, specification.data, specification.parameters) == ({}, {}, {})
    assert specification.run == RunSettings()


def test_run_settings_by_default():
    run = RunSettings()
    assert (run.seed, run.initialization, run.learning_rate) == (0, "glorot_uniform", 0.01)
    assert (run.epochs, run.batch_size, run.momentum, run.report) == (None, None, 0.0, None)


def test_everything(read):
    specification = read(
        NETWORK.replace("[[layers]]", 'reduction = "sum"\nweight_layout = "in_out"\nl1 = 0.5\nl2 = 1\n[[layers]]', 1)
        + """
        [data]
        x = [[1, 2.5]]
        y = [[true]]
        [parameters]
        W1 = [[1, 2, 3], [4, 5, 6]]
        b2 = [0.5]
        [run]
        seed = 7
        initialization = "he_normal"
        learning_rate = 1
        epochs = 100
        batch_size = 2
        optimizer = "adam"
        momentum = 0
        report = "sum"
        """
    )
    description = specification.description
    assert (description.reduction, description.weight_layout) == ("sum", "in_out")
    assert (description.l1, description.l2) == (sympy.Rational(1, 2), 1)
    assert specification.data["x"].tolist() == [[1.0, 2.5]]
    assert specification.data["y"].tolist() == [[1.0]]
    assert specification.parameters["W1"].shape == (2, 3)
    assert list(specification.parameters) == ["W1", "b2"]
    assert specification.run == RunSettings(7, "he_normal", 1.0, 100, 2, "adam", 0.0, "sum")
    assert isinstance(specification.run.learning_rate, float)


def test_the_name_is_the_files_where_none_is_given(read):
    assert read(CLASSIFIER).name == "net"


def test_symbolic_sizes(read):
    specification = read(CLASSIFIER + "[sizes]\nD = 2\nK = 3\nN = 5")
    assert specification.sizes == {"D": 2, "K": 3, "N": 5}
    assert specification.program.variable("W1").shape == (size("K"), size("D"))


def test_an_activation_in_latex(read):
    text = NETWORK.replace('"sigmoid"', r"""{ name = "swish", latex = "\\frac{z}{1+e^{-z}}" }""")
    activation = read(text).description.layers[0].activation
    assert (activation.name, str(activation.expression)) == ("swish", "z/(1 + exp(-z))")


def test_an_activation_as_a_table_without_latex(read):
    assert read(NETWORK.replace('"sigmoid"', '{ name = "tanh" }')).description.layers[0].activation == "tanh"


@pytest.mark.parametrize(("average", "says"), [("", "examples"), (', average = "entries"', "entries")])
def test_a_loss_in_latex(read, average, says):
    loss = f'{{ name = "quartic", latex = "(a-y)^4"{average} }}'
    description = read(NETWORK.replace('"half_squared_error"', loss)).description
    assert (description.loss.name, str(description.loss.entry)) == ("quartic", "(a - y)**4")
    assert description.loss.average == says


def test_a_loss_as_a_table_without_latex(read):
    text = NETWORK.replace('"half_squared_error"', '{ name = "huber" }')
    assert read(text).description.loss.name == "huber"


def test_a_program(read):
    specification = read(PROGRAM + "[data]\nx = [[1, 2]]\ny = [[3]]\n[parameters]\nW = [[1, 1]]\n[sizes]\nD = 2")
    assert specification.description is None
    assert specification.name == "net"
    assert specification.program.loss == "L"
    assert specification.program.batch == size("N")
    assert specification.data["x"].shape == (1, 2)
    assert specification.parameters["W"].shape == (1, 2)


def test_everything_about_a_program(read):
    specification = read(
        """
        [program]
        name = "embedding"
        integers = { t = ["M"] }
        parameters = { V = [7, "H"] }
        shapes = { o = ["M"] }
        equations = ["h[n,i] = V[t[n],i]", "o[n] = 1", "L = Sum(h[n,i]*o[n], n, i)"]
        loss = "L"
        output = "h"
        batch = "M"
        [data]
        t = [6, 0]
        """
    )
    program = specification.program
    assert (program.name, program.output, program.batch) == ("embedding", "h", size("M"))
    assert specification.data["t"].dtype == np.int64


def test_integers_by_name(read):
    text = PROGRAM.replace("loss =", 'integers = ["y"]\nloss =')
    assert read(text).program.variable("y").integer


def test_labels(read):
    specification = read(CLASSIFIER + "[sizes]\nK = 3\n[data]\nx = [[1, 2], [3, 4]]\ny = [2, 0]")
    assert specification.data["y"].tolist() == [[0, 0, 1], [1, 0, 0]]


def test_the_number_of_classes_may_follow_from_parameters(read):
    specification = read(CLASSIFIER + "[data]\ny = [1]\n[parameters]\nb1 = [0, 0]")
    assert specification.data["y"].tolist() == [[0, 1]]


def test_a_byte_order_mark_is_skipped(read):
    assert read(b"\xef\xbb\xbf" + NETWORK.encode()).name == "2-3-1"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_of_either_kind(tmp_path, kind):
    (tmp_path / "n.toml").write_text(NETWORK)
    assert load(kind(tmp_path / "n.toml")).name == "2-3-1"


# Data in files


WITH_FILE = NETWORK + '[data]\nfile = "points.csv"\n'


def test_csv_without_a_header(read):
    data = read(WITH_FILE, points_csv="1,2,3\n4,5,6\n").data
    assert (data["x"].tolist(), data["y"].tolist()) == ([[1, 2], [4, 5]], [[3], [6]])


def test_csv_with_a_header_blank_lines_and_spaces(read):
    data = read(WITH_FILE, points_csv='\n"x1", x2, "t, y"\r\n\r\n 1 , -2.5e0, +.5\r\n\n').data
    assert (data["x"].tolist(), data["y"].tolist()) == ([[1, -2.5]], [[0.5]])


@pytest.mark.parametrize(
    ("keys", "x", "y"),
    [
        ('inputs = ["x1", "x2"]\ntargets = ["y"]', [[1, 3]], [[2]]),
        ('inputs = ["x2", "x1"]', [[3, 1]], [[2]]),
        ('targets = ["x1"]', [[2, 3]], [[1]]),
    ],
)
def test_csv_columns_by_name(read, keys, x, y):
    data = read(WITH_FILE + keys, points_csv="x1,y,x2\n1,2,3\n").data
    assert (data["x"].tolist(), data["y"].tolist()) == (x, y)


def test_csv_labels(read):
    text = CLASSIFIER + '[sizes]\nD = 2\nK = 3\n[data]\nfile = "points.csv"'
    assert read(text, points_csv="1,2,2\n3,4,0\n").data["y"].tolist() == [[0, 0, 1], [1, 0, 0]]


def test_csv_of_symbolic_width(read):
    for known in ("[sizes]\nD = 2\n", "[parameters]\nW = [[1, 2]]\n", "[sizes]\nK = 1\n"):
        data = read(PROGRAM + known + '[data]\nfile = "points.csv"', points_csv="1,2,3\n").data
        assert data["x"].tolist() == [[1, 2]]


def test_csv_for_targets_without_columns(read):
    text = PROGRAM.replace('["N", "K"]', '["N"]').replace("y[n,k]", "y[n]").replace("[sizes]", "")
    data = read(text + '[data]\nfile = "points.csv"', points_csv="1,2,3\n").data
    assert (data["x"].tolist(), data["y"].tolist()) == ([[1, 2]], [3])


def test_npz(read, tmp_path):
    np.savez(tmp_path / "points.npz", x=np.ones((4, 2), np.float32), y=np.zeros((4, 1)))
    data = read(NETWORK + '[data]\nfile = "points.npz"').data
    assert (data["x"].dtype, data["y"].shape) == (np.float32, (4, 1))


def test_inline_and_file_complete_each_other(read, tmp_path):
    np.savez(tmp_path / "points.npz", x=np.ones((1, 2)))
    assert set(read(NETWORK + '[data]\ny = [[1]]\nfile = "points.npz"').data) == {"x", "y"}


def test_the_file_lies_beside_the_network(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "points.csv").write_text("1,2,3")
    (tmp_path / "sub" / "net.toml").write_text(NETWORK + '[data]\nfile = "../points.csv"')
    monkeypatch.chdir(tmp_path.parent)
    assert load(tmp_path / "sub" / "net.toml").data["x"].tolist() == [[1, 2]]


# Files that cannot be read


def test_missing_file(tmp_path):
    (tmp_path / "network.toml").write_text("")
    with pytest.raises(UnreadableError, match=r"netwrok\.toml: there is no such file; did you mean 'network\.toml'\?"):
        load(tmp_path / "netwrok.toml")
    with pytest.raises(UnreadableError, match=r"there is no such file; there is no \.xyz file in"):
        load(tmp_path / "net.xyz")
    with pytest.raises(UnreadableError, match=r"there is no such file; there is no directory '.*nowhere' either"):
        load(tmp_path / "nowhere" / "net.toml")


def test_directory(tmp_path):
    with pytest.raises(UnreadableError, match="is a directory; name the file in it"):
        load(tmp_path)


def test_no_path():
    with pytest.raises(UsageError, match="the path is 3; give the name of a TOML file"):
        load(3)
    with pytest.raises(UnreadableError, match=r"is no path of a file"):
        load("net\0.toml")


def test_a_file_that_may_not_be_opened(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UnreadableError, match=r"net\.toml cannot be opened: Permission denied"):
        load(tmp_path / "net.toml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[network\n", "net.toml is no valid TOML: Expected ']' at the end of a table declaration (at line 1"),
        ("a = 1\na = 2\n", "net.toml is no valid TOML: Cannot overwrite a value (at line 2"),
        ("a = " + "[" * 5000, "net.toml is no valid TOML: it is nested too deep"),
        ("a = " + "9" * 5000, "net.toml is no valid TOML"),
        (b"name = '\xff'\n", "net.toml, line 1: byte 0xff is not UTF-8; save the file as UTF-8"),
        (b"# fine\nname = '\xe4'\n", "net.toml, line 2: byte 0xe4 is not UTF-8"),
    ],
)
def test_unreadable_files(read, text, says):
    refused(read, UnreadableError, says, text)


# Tables and keys


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "net.toml has no table [network] and no [program]"),
        ("[netwrok]", "net.toml: unknown table [netwrok]; did you mean 'network'?"),
        ("layer = 3", "unknown table [layer]; did you mean 'layers'?"),
        ("network = 3", "net.toml: [network] is 3; write it as a table"),
        (NETWORK + PROGRAM, "net.toml has both [program] and [network]"),
        (PROGRAM + "[[layers]]", "net.toml has both [program] and [layers]"),
        (NETWORK.split("[[")[0], "net.toml has no layers; add a [[layers]] table for each"),
        (NETWORK.split("[[")[0] + "[layers]\nunits = 3", "layers is one table; write [[layers]], with two brackets"),
        ("layers = [3]\n" + NETWORK.split("[[")[0], "[[layers]] 1 is 3; write it as a table"),
        (NETWORK + "[run]\nepoch = 3", "net.toml: [run]: unknown key 'epoch'; did you mean 'epochs'?"),
        ("run = 3\n" + NETWORK, "net.toml: run is no table; write [run]"),
        ("data = 3\n" + NETWORK, "net.toml: data is no table; write [data]"),
        ("parameters = []\n" + NETWORK, "net.toml: parameters is no table"),
        ("sizes = 'N'\n" + NETWORK, "net.toml: sizes is no table"),
    ],
)
def test_refused_tables(read, text, says):
    refused(read, UsageError, says, text)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("inputs = 2", "", "[network] has no inputs; add inputs = ..., a positive integer, or a name"),
        ("inputs = 2", "inputs = 0", "[network]: inputs is 0; give a positive integer, or a name such as"),
        ("inputs = 2", "inputs = true", "[network]: inputs is True; give a positive integer"),
        ("inputs = 2", "inputs = 2.0", "[network]: inputs is 2.0"),
        ("inputs = 2", "inputs = 'D x'", "[network]: inputs is 'D x'"),
        ("inputs = 2", "input = 2", "[network]: unknown key 'input'; did you mean 'inputs'?"),
        ("inputs = 2", "inputs = 1979-05-27", "[network]: inputs is datetime.date(1979, 5, 27)"),
        ('name = "2-3-1"', "name = 3", "[network]: name is 3; give a string"),
        ('"half_squared_error"', "3", "[network]: loss is 3; give a name, or a table with name and latex"),
        ('loss = "half_squared_error"', "", "[network] has no loss; add loss = ..."),
        ('"half_squared_error"', '"half_square_error"', "unknown loss 'half_square_error'; did you mean 'half_squ"),
        ('"half_squared_error"', '{ latex = "a" }', "[network]: loss has no name; add name = ..., a string"),
        ('"half_squared_error"', '{ name = "m", tex = "a" }', "[network]: loss: unknown key 'tex'"),
        ('"half_squared_error"', '{ name = "m" }', "[network]: unknown loss 'm'"),
        ('"half_squared_error"', '{ name = "huber", latex = "a" }', "loss: 'huber' is known already; leave latex out"),
        ('"half_squared_error"', '{ name = "huber", average = "entries" }', "has an average of its own"),
        (
            '"half_squared_error"',
            '{ name = "m", latex = "a", average = "all" }',
            "unknown average 'all'; known are exam",
        ),
        ('"half_squared_error"', '{ name = "m", latex = "y" }', "loss: loss 'm' = y does not contain the output a"),
        ("inputs = 2", "inputs = 2\nreduction = 'avg'", "[network]: unknown reduction 'avg'; known are mean, sum"),
        ("inputs = 2", "inputs = 2\nweight_layout = 'inout'", "unknown weight_layout 'inout'; did you mean 'in_out'?"),
        ("inputs = 2", "inputs = 2\nl2 = -1", "[network]: l2 is -1; give a finite number, 0 or larger"),
        ("inputs = 2", "inputs = 2\nl1 = nan", "[network]: l1 is nan; give a finite number, 0 or larger"),
        ("inputs = 2", "inputs = 2\nl1 = 'a'", "[network]: l1 is 'a'; give a finite number"),
        ("inputs = 2", "inputs = 2\nbatch = '2N'", "[network]: batch is '2N'; give a name of letters and digits"),
        ('type = "dense"\nunits = 3', "units = 3", "[[layers]] 1: the layer has no type; add type = 'dense'"),
        (
            'type = "dense"\nunits = 3',
            'type = "dens"\nunits = 3',
            "[[layers]] 1: unknown type 'dens'; did you mean 'dense'",
        ),
        ('type = "dense"\nunits = 3', "type = 3\nunits = 3", "[[layers]] 1: unknown type 3; known are dense"),
        ('type = "dense"\nunits = 3', 'type = ["dense"]\nunits = 3', "[[layers]] 1: unknown type ['dense']"),
        ("units = 3", "", "[[layers]] 1 has no units; add units = ..., a positive integer"),
        ("units = 1", "unit = 1", "[[layers]] 2: unknown key 'unit'; did you mean 'units'?"),
        ("units = 1", "units = -1", "[[layers]] 2: units is -1; give a positive integer"),
        ("bias = true", 'bias = "yes"', "[[layers]] 1: bias is 'yes'; give true or false"),
        ('"sigmoid"', '"sigmiod"', "[[layers]] 1: Dense: unknown activation 'sigmiod'; did you mean 'sigmoid'?"),
        ('"sigmoid"', "3", "[[layers]] 1: activation is 3; give a name, or a table with name and latex"),
        ('"sigmoid"', '{ name = "swish" }', "[[layers]] 1: Dense: unknown activation 'swish'"),
        ('"sigmoid"', '{ latex = "z" }', "[[layers]] 1: activation has no name"),
        ('"sigmoid"', '{ name = "m", latex = 3 }', "[[layers]] 1: activation: latex is 3; give a string"),
        ('"sigmoid"', '{ name = "m", latex = "z", x = 1 }', "[[layers]] 1: activation: unknown key 'x'"),
        ('"sigmoid"', '{ name = "relu", latex = "z" }', "activation: 'relu' is known already; leave latex out"),
        ('"sigmoid"', '{ name = "m", latex = "2" }', "activation 'm' must be a function of one symbol, but 2 has 0"),
    ],
)
def test_refused_keys(read, old, new, says):
    text = NETWORK.replace(old, new, 1)
    assert text != NETWORK
    refused(read, UsageError, says, text)


@pytest.mark.parametrize(
    ("latex", "says"),
    [
        ("z_1", "[[layers]] 1: activation 'm': 'z_1', line 1, column 2: "),
        ("z + x", "activation 'm': 'z + x', line 1, column 5: unknown symbol 'x'; known are z"),
        ("", "activation 'm': '', line 1, column 1: the formula ends"),
        ("__import__('os')", "activation 'm': "),
    ],
)
def test_refused_latex(read, latex, says):
    text = NETWORK.replace('"sigmoid"', f'{{ name = "m", latex = "{latex}" }}')
    refused(read, UnreadableError, says, text)


def test_refused_latex_of_a_loss(read):
    text = NETWORK.replace('"half_squared_error"', '{ name = "m", latex = "(a-t)^2" }')
    refused(read, UnreadableError, "[network]: loss 'm': '(a-t)^2', line 1, column 4: unknown symbol 't'", text)


def test_a_loss_and_an_activation_that_do_not_fit(read):
    text = NETWORK.replace('"half_squared_error"', '"binary_cross_entropy"')
    refused(read, UsageError, "net.toml: [network]: loss 'binary_cross_entropy' expects probabilities", text)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("seed = -1", "seed is -1; give an integer, 0 or larger"),
        ("seed = 1.5", "seed is 1.5"),
        ("seed = true", "seed is True"),
        ('initialization = "glorot_unifrom"', "unknown initialization 'glorot_unifrom'; did you mean 'glorot_"),
        ("learning_rate = 0", "learning_rate is 0; give a positive finite number"),
        ("learning_rate = inf", "learning_rate is inf; give a positive finite number"),
        ('learning_rate = "0.1"', "learning_rate is '0.1'; give a positive finite number"),
        ("epochs = 0", "epochs is 0; give a positive integer"),
        ("batch_size = 2.5", "batch_size is 2.5; give a positive integer"),
        ('optimizer = "adma"', "unknown optimizer 'adma'; did you mean 'adam'?"),
        ("momentum = 1", "momentum is 1; give a number from 0 to below 1"),
        ('report = "average"', "unknown report 'average'; known are mean, sum"),
        ("report = 3", "report is 3; give a string"),
    ],
)
def test_refused_settings(read, setting, says):
    refused(read, UsageError, f"net.toml: [run]: {says}", NETWORK + f"[run]\n{setting}")


@pytest.mark.parametrize(
    ("old", "new", "kind", "says"),
    [
        ('loss = "L"', "", UsageError, "[program] has no loss"),
        ('loss = "L"', 'loss = "M"', EquationError, "[program]: net: the loss 'M' is not defined"),
        ("equations =", "equation =", UsageError, "[program]: unknown key 'equation'; did you mean 'equations'?"),
        ('{ x = ["N", "D"] }', '["x"]', UsageError, "[program]: inputs is ['x']; give a table from names to lists"),
        ('{ x = ["N", "D"] }', '{ x = "N" }', UsageError, "[program]: inputs: the shape of x is 'N'; give a list"),
        ('{ x = ["N", "D"] }', '{ x = ["N", 0] }', UsageError, "[program]: inputs: x: a size is 0"),
        ('{ x = ["N", "D"] }', '{ exp = ["N", "D"] }', UsageError, "[program]: inputs: 'exp' means something else"),
        ('loss = "L"', 'loss = "L"\nintegers = "x"', UsageError, "[program]: integers is 'x'; give a table"),
        ('loss = "L"', 'loss = "L"\nintegers = ["q"]', UsageError, "[program]: integers: 'q' is no input or target"),
        ('loss = "L"', 'loss = "L"\nshapes = { q = [] }', UsageError, "shapes: 'q' is defined by no equation"),
        ('loss = "L"', 'loss = "L"\nbatch = "M"', UsageError, "batch is 'M', which is no size of the program"),
        ("Sum(W[k,i]*x[n,i], i)", "W[k,i]*", EquationError, "[program]: equation 1 'z[n,k] = W[k,i]*', column"),
        ("Sum(W[k,i]*x[n,i], i)", "__import__('os')", EquationError, "[program]: equation 1"),
        ("x[n,i]", "x[i,n]", SizeError, "[program]: equation 1"),
        ("equations = [", "equations = [3, ", UsageError, "[program]: equations is"),
    ],
)
def test_refused_programs(read, old, new, kind, says):
    text = PROGRAM.replace(old, new, 1)
    assert text != PROGRAM
    refused(read, kind, says, text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (CLASSIFIER + "[sizes]\nH = 3", "net.toml: [sizes]: 'H' is no symbolic size; known are N, D, K"),
        (CLASSIFIER + "[sizes]\nD = 0", "net.toml: [sizes]: D is 0; give a positive integer"),
        (CLASSIFIER + "[sizes]\nD = 2.0", "net.toml: [sizes]: D is 2.0; give a positive integer"),
        (CLASSIFIER + "[sizes]\nD = true", "net.toml: [sizes]: D is True; give a positive integer"),
        (CLASSIFIER + "[sizes]\nD = 'K'", "net.toml: [sizes]: D is 'K'; give a positive integer"),
    ],
)
def test_refused_sizes(read, text, says):
    refused(read, UsageError, says, text)


# Data and parameters


@pytest.mark.parametrize(
    ("tables", "kind", "says"),
    [
        ("[data]\nz = [[1]]", UsageError, "[data]: unknown key 'z'; known are x, y, file, inputs, targets"),
        ("[data]\nW1 = [[1]]", UsageError, "[data]: unknown key 'W1'"),
        ("[data]\nx = 'a'", UsageError, "[data]: x is 'a'; give numbers in brackets"),
        ("[data]\nx = { a = 1 }", UsageError, "[data]: x is {'a': 1}; give numbers in brackets"),
        ("[data]\nx = [[1, 'a']]", UsageError, "[data]: x holds strings, 'a' at [0, 1]; give real numbers"),
        ("[data]\nx = [[1, nan]]", UsageError, "[data]: x[0, 1] is nan; give finite numbers"),
        ("[data]\nx = [[1, -inf]]", UsageError, "[data]: x[0, 1] is -inf"),
        ("[data]\nx = [[1, 2], [3]]", UsageError, "[data]: x is no array of numbers: its rows have different lengths"),
        ("[data]\nx = [[1979-05-27, 2]]", UsageError, "[data]: x holds objects, datetime.date(1979, 5, 27) at"),
        ("[data]\nx = []", SizeError, "[data]: x has shape (0,), so it has no entries"),
        ("[data]\nx = [1.0, 2.0]", SizeError, "[data]: x has shape (2,), but (N, 2) was expected: a batch has one"),
        ("[data]\nx = [1.0, 2.0]", SizeError, "row an example; for one example write [[1., 2.]]"),
        ("[data]\nx = [[1, 2, 3]]", SizeError, "[data]: x has shape (1, 3)"),
        ("[data]\nx = [[1, 2]]\ny = [[1], [2]]", SizeError, "[data]: axis 1 of y has size 2, but N is 1 in x"),
        ("[parameters]\nW3 = [[1]]", UsageError, "[parameters]: unknown key 'W3'; did you mean 'W2'?"),
        ("[parameters]\nx = [[1, 2]]", UsageError, "[parameters]: unknown key 'x'; known are W1, b1, W2, b2"),
        ("[parameters]\nW1 = [[1, 2]]", SizeError, "[parameters]: W1 has shape (1, 2), but (3, 2) was expected"),
        ("[parameters]\nb1 = 1", SizeError, "[parameters]: b1 has shape ()"),
        ("[parameters]\nb2 = [nan]", UsageError, "[parameters]: b2[0] is nan"),
        ("[data]\nfile = 3", UsageError, "[data]: file is 3; give the name of a .csv or .npz file"),
        ("[data]\nfile = 'x.txt'", UsageError, "[data]: file is 'x.txt'; give the name of a .csv or .npz file"),
        ("[data]\ninputs = ['a']", UsageError, "[data]: inputs and targets name columns of a file, but there is none"),
        ("[data]\nfile = 'x.csv'\ninputs = 'a'", UsageError, "[data]: inputs is 'a'; give a list of names of columns"),
        ("[data]\nfile = 'x.csv'\ninputs = [1]", UsageError, "[data]: inputs is [1]; give a list of names of columns"),
        ("[data]\nfile = 'x.csv'\ntargets = []", UsageError, "[data]: targets is []; give a list of names"),
        ("[data]\nfile = 'x.csv'", UnreadableError, "x.csv: there is no such file"),
        ("[data]\nfile = 'x.npz'", UnreadableError, "x.npz: there is no such file"),
    ],
)  # fmt: skip
def test_refused_arrays(read, tables, kind, says):
    refused(read, kind, says, NETWORK + tables)


def test_refused_labels(read):
    head = CLASSIFIER + "[sizes]\nK = 3\n[data]\n"
    refused(read, UsageError, "[data]: y[0] is the label 3, but labels run from 0 to 2", head + "y = [3]")
    refused(read, SizeError, "[data]: y holds labels, but the number of classes K is not known; give K in sizes",
            CLASSIFIER + "[data]\ny = [0]")  # fmt: skip


def test_a_size_that_data_contradict(read):
    text = CLASSIFIER + "[sizes]\nD = 3\n[data]\nx = [[1, 2]]"
    refused(read, SizeError, "[data]: axis 2 of x has size 2, but D is 3 as given", text)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "holds no numbers; give one line an example"),
        ("a,b,c\n", "holds no numbers; give one line an example"),
        ("1,2,3\n4,5\n", "points.csv, line 2: 2 columns, but 3 in the first line"),
        ("1,2,a\n", "points.csv, line 1, column 3: 'a' is no number; give a number"),
        ("1,2,\n", "points.csv, line 1, column 3: the cell is empty; give a number"),
        ("1;2;3\n1;2;3\n", "points.csv, line 2, column 1: '1;2;3' is no number; separate columns by commas"),
        ("1,2,3\n1,2,1_0\n", "line 2, column 3: '1_0' is no number"),
        ("1,2,0x10\n", "line 1, column 3: '0x10' is no number"),
        ("1,2,__import__('os')\n", "line 1, column 3: \"__import__('os')\" is no number"),
        ("a,a,b\n1,2,3\n", "two columns are called 'a'; rename one"),
        ('1,2,"3\n', "points.csv, line 1: unexpected end of data"),
        ("1,2\n", "has 2 columns, so none is left for targets"),
        (b"1,2,\xff\n", "points.csv, line 1: byte 0xff is not UTF-8"),
    ],
)
def test_refused_csv(read, content, says):
    refused(read, UnreadableError, says, WITH_FILE, points_csv=content)


@pytest.mark.parametrize(
    ("content", "kind", "says"),
    [
        ("1,2,nan\n", UsageError, "points.csv: y[0, 0] is nan; give finite numbers"),
        ("1,2,3,4\n", SizeError, "points.csv: y has shape (1, 2), but (1, 1) was expected"),
    ],
)
def test_csv_that_does_not_fit(read, content, kind, says):
    refused(read, kind, says, WITH_FILE, points_csv=content)


@pytest.mark.parametrize(
    ("keys", "content", "says"),
    [
        ("inputs = ['a']", "1,2,3\n", "points.csv has no header, so inputs cannot name its columns; add one"),
        ("targets = ['yy']", "x1,x2,y\n1,2,3\n", "points.csv has no column 'yy', named in targets; did you mean 'y'?"),
        ("inputs = ['x1', 'x2', 'y']", "x1,x2,y\n1,2,3\n", "has 3 columns, so none is left for targets"),
    ],
)
def test_refused_columns(read, keys, content, says):
    refused(read, UnreadableError, says, WITH_FILE + keys, points_csv=content)


def test_csv_of_unknown_width(read):
    text = CLASSIFIER + '[data]\nfile = "points.csv"'
    refused(read, UsageError, "how many columns are inputs is not known; give D in [sizes], or inputs", text,
            points_csv="1,2,3\n")  # fmt: skip


def test_csv_for_a_program_it_cannot_fill(read):
    text = PROGRAM.replace("{ x = ", "{ u = [], x = ") + '[data]\nfile = "points.csv"'
    refused(read, UsageError, "inputs and one of targets, but net has u(), x(N, D) as input; give a .npz file", text,
            points_csv="1,2,3\n")  # fmt: skip
    text = PROGRAM.replace('{ y = ["N", "K"] }', "{}").replace("-y[n,k]", "") + '[data]\nfile = "points.csv"'
    refused(read, UsageError, "but net has nothing as target; give a .npz file", text, points_csv="1,2,3\n")


def test_data_given_twice(read, tmp_path):
    text = NETWORK + '[data]\nx = [[1, 2]]\nfile = "points.csv"'
    refused(read, UsageError, "[data]: x is given here and in points.csv; leave one of them out", text,
            points_csv="1,2,3\n")  # fmt: skip


class Trap:
    """An object whose unpickling would be noticed."""

    def __reduce__(self):
        return (exec, ("raise SystemExit",))


def test_refused_npz(read, tmp_path):
    text = NETWORK + '[data]\nfile = "points.npz"'
    refused(read, UnreadableError, "points.npz is no npz archive; write one by numpy.savez", text, points_npz=b"PK no")
    np.savez(tmp_path / "points.npz", q=np.ones(1))
    refused(read, UsageError, "points.npz holds an array 'q'; known are x, y", text)
    np.savez(tmp_path / "points.npz", x=np.array([Trap()], dtype=object))
    refused(read, UnreadableError, "points.npz cannot be read as an npz archive: Object arrays cannot be loaded", text)
    np.savez(tmp_path / "points.npz", x=np.array([["a", "b"]]))
    refused(read, UsageError, "points.npz: x holds strings, 'a' at [0, 0]", text)
    np.savez(tmp_path / "points.npz", x=np.ones((2, 3)))
    refused(read, SizeError, "points.npz: x has shape (2, 3)", text)
    whole = (tmp_path / "points.npz").read_bytes()
    damaged = whole.replace(b"NUMPY", b"NUMPX")
    refused(read, UnreadableError, "points.npz cannot be read as an npz archive", text, points_npz=damaged)


ATTACK = "__import__('os').abort()"


@pytest.mark.parametrize("base", [NETWORK, PROGRAM])
def test_no_string_is_evaluated(read, base):
    """The attack in place of every string of a file, one after the other."""
    strings = list(re.finditer(r'"[^"]*"', base))
    assert len(strings) > 4
    harmless = 0
    for match in strings:
        text = base[: match.start()] + f'"{ATTACK}"' + base[match.end() :]
        with contextlib.suppress(SymbackpropError):
            assert read(text).name == ATTACK
            harmless += 1
    assert harmless == (1 if base == NETWORK else 0)
    for line in (
        f'[run]\noptimizer = "{ATTACK}"',
        f'[sizes]\nN = "{ATTACK}"',
        f'[data]\nx = [["{ATTACK}", 1]]',
        f'[data]\nfile = "{ATTACK}"',
        f'[parameters]\n"{ATTACK}" = 1',
        f'["{ATTACK}"]',
    ):
        with pytest.raises(SymbackpropError):
            read(f"{base}\n{line}")
