"""Networks and programs whose figures are looked at in several tests."""

from __future__ import annotations

from functools import cache

from documents import story

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.documents.drawings.drawing import Drawing
from symbackprop.documents.drawings.graph_figure import graph_figure
from symbackprop.documents.drawings.network_figure import network_figure
from symbackprop.documents.drawings.wire_labels import in_names, in_numbers
from symbackprop.documents.languages.tables import LANGUAGES
from symbackprop.documents.languages.words import words_of
from symbackprop.forms.views import Views

_D = sbp.Dense
MODELS = {
    "2-3-1": sbp.Network(2, [_D(3, "sigmoid"), _D(1)], "half_squared_error"),
    "4-3-1": sbp.Network(4, [_D(3, "tanh", bias=False), _D(1)], "huber", weight_layout="in_out"),
    "2-10-1": sbp.Network(2, [_D(10, "relu"), _D(1, "sigmoid")], "binary_cross_entropy"),
    "784-128-10": sbp.Network(784, [_D(128, "relu"), _D(10, "softmax")], "categorical_cross_entropy"),
    "symbolic": sbp.Network("D", [_D("H1", "gelu_tanh"), _D("K")], "mean_squared_error"),
    "penalised": sbp.Network(2, [_D(3, "relu"), _D(2, "softmax")], "categorical_cross_entropy", l2=0.1),
    "6 layers": sbp.Network(2, [_D(4, "leaky_relu")] * 5 + [_D(1)], "half_squared_error"),
    "100 layers": sbp.Network(3, [_D(4, "tanh")] * 99 + [_D(1)], "half_squared_error"),
    "attention": sbp.Program(
        inputs={"x": ("T", "D")},
        targets={"y": ("T", "D")},
        parameters={"Q": ("H", "D"), "K": ("H", "D"), "V": ("D", "D")},
        equations=[
            "q[t,h] = Sum(Q[h,i]*x[t,i], i)",
            "k[t,h] = Sum(K[h,i]*x[t,i], i)",
            "v[t,d] = Sum(V[d,i]*x[t,i], i)",
            "s[t,u] = Sum(q[t,h]*k[u,h], h)/sqrt(H)",
            "p[t,u] = exp(s[t,u])/Sum(exp(s[t,w]), w)",
            "o[t,d] = Sum(p[t,u]*v[u,d], u)",
            "L = Sum((o[t,d] - y[t,d])**2, t, d)/2",
        ],
        loss="L",
    ),
    "recurrent": sbp.Program(
        inputs={"x1": ("N", "D"), "x2": ("N", "D"), "h0": ("N", "H")},
        targets={"y": ("N", "H")},
        parameters={"U": ("H", "D"), "W": ("H", "H")},
        equations=[
            "z1[n,j] = Sum(U[j,i]*x1[n,i], i) + Sum(W[j,k]*h0[n,k], k)",
            "h1[n,j] = tanh(z1[n,j])",
            "z2[n,j] = Sum(U[j,i]*x2[n,i], i) + Sum(W[j,k]*h1[n,k], k)",
            "h2[n,j] = tanh(z2[n,j])",
            "L = Sum((h2[n,j] - y[n,j])**2, n, j)/(2*N)",
        ],
        loss="L",
        batch="N",
    ),
}
NETWORKS = [name for name, model in MODELS.items() if model.description is not None]


@cache
def views(name: str) -> Views:
    return Views(differentiate(MODELS[name].program))


@cache
def network(name: str, language: str = "en") -> Drawing:
    return network_figure(views(name).symbols, words_of(language), MODELS[name].description)


@cache
def graph(name: str, language: str = "en") -> Drawing:
    differentiation = views(name).differentiation
    return graph_figure(differentiation, in_names(views(name).symbols, differentiation), words_of(language))


@cache
def numbered_graph(name: str, language: str = "en") -> Drawing | None:
    """The graph with the numbers of an example that is drawn from a seed; None where it has none, or too many."""
    told = story(MODELS[name])
    words = words_of(language)
    signals = in_numbers(told.views.symbols, told.views.differentiation, told.example, words)
    return None if signals is None else graph_figure(told.views.differentiation, signals, words)


def all_drawings() -> dict[str, Drawing]:
    """Every drawing of every model, by a name."""
    found = {f"network {name}": network(name) for name in NETWORKS}
    for name in MODELS:
        found[f"graph {name}"] = graph(name)
        numbered = numbered_graph(name)
        if numbered is not None:
            found[f"numbers {name}"] = numbered
    # The words are longer in some languages than in others.
    for code in LANGUAGES:
        found |= {f"network {name} {code}": network(name, code) for name in NETWORKS}
        found[f"graph 100 layers {code}"] = graph("100 layers", code)
    return found
