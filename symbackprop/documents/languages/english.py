"""What documents say in English."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["ENGLISH", "ENGLISH_MONTHS"]

ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        # What is put together from several parts.
        "enumeration": "{first} and {last}",
        "date": "{day} {month} {year}",
        "figure": "Figure",
        "in words": "In words",
        "contents": "Contents",
        "title": "Backpropagation through {name}",
        "made by": "Made by {version}; make it again: {command}",
        # How a document begins.
        "layer zero": "the inputs, {inputs}, as what comes before layer 1",
        "entry upstream": "product of output and upstream gradient",
        "entry categorical_cross_entropy_with_logits": "cross-entropy, taken of the logits",
        "entry categorical_cross_entropy": "cross-entropy",
        "entry binary_cross_entropy_with_logits": "cross-entropy of two classes, taken of the logits",
        "entry binary_cross_entropy": "cross-entropy of two classes",
        "entry hinge": "hinge loss",
        "entry log_cosh": "logarithm of the hyperbolic cosine of the error",
        "entry huber": "Huber loss",
        "entry half_squared_error": "half squared error",
        "entry mean_absolute_error": "absolute error",
        "entry mean_squared_error": "squared error",
        "result assumption alone": "This holds if {assumptions}.",
        "any layer inputs": " Before the first layer stand the inputs: {first} is {inputs}.",
        "some not taken": " Where the loss is too long an expression, or has too many cases, SymPy's derivative "
        "is not taken.",
        "some checked": " Of each array one entry is checked.",
        "made by alone": "Made by {version}",
        "made alone": "Derived by symbackprop {version}.",
        "network": "A feed-forward network with {inputs}; {layers}.",
        "one input": "one input",
        "inputs": "{count} inputs",
        "one unit": "one unit",
        "units": "{count} units",
        "layer": "layer {first} has {units} and the activation {activation}",
        "two layers": "layers {first} and {last} have {units} each and the activation {activation}",
        "layers": "layers {first} to {last} have {units} each and the activation {activation}",
        "without bias": ", without biases",
        "program": "A program with the loss {loss}; number of equations: {count}.",
        "loss": "The loss is: {name}.",
        "loss mean examples": "The loss is the mean over the examples of the {name}.",
        "loss sum examples": "The loss is the sum over the examples of the {name}, not averaged.",
        "loss mean entries": "The loss is the mean over all examples and outputs of the {name}.",
        "loss sum entries": "The loss is the sum over all examples and outputs of the {name}, not averaged.",
        "penalties": " To it is added, for every weight matrix, {penalties}; biases are not penalised.",
        "penalty l1": "{factor} times the sum of the absolute values of its entries",
        "penalty l2": "{factor} times half the sum of the squares of its entries",
        "made": "Derived by symbackprop {version}; to make this document again, type {command}.",
        "made drawn": " What is drawn by chance is drawn with seed {seed}.",
        # Figures.
        "network caption": "The network, for one example. An edge is a weight: {weight} leads from unit {source} to "
        "unit {target} of the next layer.",
        "units not drawn": " Dots stand for units that are not drawn.",
        "layers not drawn": " Of the {count} layers the first three and the last two are drawn.",
        "graph caption": "The computational graph. The solid arrows carry the values to {loss}, the dashed ones its "
        "derivatives on the way back.",
        "graph caption numbers": "The computational graph of the worked example, vectors as columns. The solid "
        "arrows carry the values to {loss}, the dashed ones its derivatives on the way back; both are rounded to "
        "three significant figures. Below a box its value stands on the left, the derivative by it on the right.",
        "equations not drawn": " Of the {count} equations the first four and the last four are drawn.",
        # In a drawing.
        "network drawing title": "The network {name}",
        "network drawing": "Columns of circles from left to right, each circle joined to every circle of the next "
        "column by the edge of a weight. {network}",
        "input units": "inputs",
        "layer units": "layer {number}",
        "bias": "bias",
        "no bias": "no bias",
        "graph drawing title": "The computational graph of {name}",
        "graph drawing": "A graph with a box for each variable. Given: {given}. Computed, in this order: {computed}. "
        "Values go along the solid arrows, derivatives of the loss come back along the dashed ones.",
        "graph drawing numbers": " Numbers: {numbers}.",
        "more equations": "{count} more equations",
        "node left out": "{count} equations that are not drawn",
        "node": "{name} from {sources}",
        "wire": "{name} is {value}",
        "wire with derivative": "{name} is {value} with derivative {derivative}",
        # The result.
        "result": "Result",
        "result batch": "For a batch of examples, from the loss inwards:",
        "result single": "From the loss inwards:",
        "result deep": "From the loss inwards; first what is not the same in all layers:",
        "result any layer": "Any layer {layer} with activation {activation}, and the layer behind it if it has one:",
        "result assumption": "This holds if {assumptions}; without it the longer form holds that is derived below.",
        "unreached": "The loss does not depend on {names}, so the derivative is 0.",
        # Notation.
        "notation": "Notation",
        "symbol": "symbol",
        "meaning": "meaning",
        "shape": "shape",
        "counted from one": "Indices count from 1.",
        "capitals": "A matrix is written with a capital letter, or in bold where that letter is taken; its entries "
        "with the small one. A vector is a column.",
        "no capitals": "Matrices, vectors and their entries are written with the same small letter. A vector is a "
        "column.",
        "derivative by an array": "The derivative of a number by an array has the shape of the array: entry by entry, "
        "the derivative by that entry.",
        "examples as rows": "A batch of {size} examples is stored as rows: one row is one example.",
        "examples as columns": "A batch of {size} examples is stored as columns: one column is one example.",
        "one example": "One example at a time is computed, as a column vector.",
        "hadamard": "{sign} multiplies entry by entry; products of matrices bind more tightly.",
        "entrywise division": "{sign} divides entry by entry.",
        "entrywise power": "{sign} raises each entry of the matrix to the power.",
        "ones": "{sign} is the column of as many ones as its index says. A number that is added to an array is "
        "added to each entry.",
        "by rows": "The subscript 'rows' says that each row is taken by itself.",
        "by columns": "The subscript 'columns' says that each column is taken by itself.",
        "bracket": "{bracket} is 1 where the condition holds and 0 elsewhere.",
        "to layer": "{meaning}, and so on to layer {last}",
        "number of examples": "number of examples",
        "a size": "a size",
        "index of examples": "index of the examples",
        "index of units": "indices of units and entries",
        "a layer": "the number of any layer",
        "any argument": "the argument of a function",
        "any weight": "any one weight or bias",
        "any activation": "the activation of layer {layer}",
        "units of any layer": "number of units of layer {layer}",
        "learning rate": "learning rate",
        "step of a check": "step of a difference quotient",
        "a number": "number",
        "error signal": "error signal, {derivative}",
        "functions": "Functions, with the derivatives that are used:",
        "identities": "What matrix notation means, entry by entry, for any matrices A and B, vectors u and v, and "
        "functions f:",
        # Forward pass and loss.
        "forward": "Forward pass",
        "loss section": "Loss",
        "definition": "{meaning}, {symbol} of shape {shape}",
        "definition without meaning": "{symbol} of shape {shape}",
        "note": "{text}; {note}",
        "assumed": "It is assumed that {assumptions}.",
        "remark half_squared_error": "The half is there to cancel the 2 that the power rule brings.",
        "remark categorical_cross_entropy": "The targets are the probabilities that the classes have.",
        "remark categorical_cross_entropy_with_logits": "The targets are the probabilities that the classes have.",
        "remark binary_cross_entropy": "A target is 1 or 0, or a probability.",
        "remark binary_cross_entropy_with_logits": "A target is 1 or 0, or a probability.",
        "remark hinge": "A target is 1 or -1.",
        "remark upstream": "The targets are the derivatives of another loss by the outputs, which make this the "
        "backward pass of the layers alone.",
        # Backward pass.
        "backward": "Backward pass",
        "backward introduction": "The chain rule is applied to one equation at a time, the last one first. A "
        "variable's derivative is the sum of one contribution for each place where the variable stands. Each local "
        "derivative has a line of its own; derivatives that are zero are left out.",
        "graph shown": " {figure} shows the whole of it.",
        "any layer": "Any layer",
        "any layer introduction": "What happens in one layer happens in all, so it is derived once, for layer {layer} "
        "with any activation {activation} that works entry by entry, and the layer {next} behind it.",
        "any z1": "pre-activations of layer {layer}",
        "any a1": "activations of layer {layer}",
        "any z2": "pre-activations of layer {next}",
        "any W1": "weights of layer {layer}",
        "any b1": "biases of layer {layer}",
        "any layer signal": "The loss gets to know of layer {layer} through {variable} alone. Let {signal}, the "
        "derivative by it, be known already.",
        "layer title": "Layer {number}",
        "from the loss": "From the loss",
        "inputs title": "Inputs and targets",
        "variable": "Derivative by {name}",
        "by the chain rule": "{meaning}, by the chain rule through {places}:",
        "by the general one": "{meaning}, by {equation} with {layer}:",
        "by the general one with": "{meaning}, by {equation} with {layer} and the activation at hand.",
        "stands in": "{meaning}: {symbol} stands in {places}.",
        "stands in without meaning": "{symbol} stands in {places}.",
        "marked": " A mark {mark} says: by this place alone, the variable's other places held fixed.",
        "from": "From {equation}: {reasons}.",
        "rule with identity": "{rule}, {identity}",
        "rule with reason": "{rule} ({reason})",
        "step": "{rule}: {reason}",
        "plain step": "{reason}",
        "fold": "written with a value that the forward pass has",
        "citing": "{text}, {equation}",
        "put in": "Put in:",
        "together": "Together{steps}:",
        "together as matrices": "Together{steps}; as matrices by {identities}:",
        "assuming": "If {assumption}, this is",
        "probabilities": "The chain through the probabilities",
        "through probabilities": "The loss above is computed from the pre-activations, for numerical stability. "
        "Written on top of the probabilities it is {loss}, and the chain through them gives the same:",
        "cancel": "Put the first line into the second, and cancel:",
        # Points without derivative.
        "kinks": "Points without derivative",
        "kink": "{function} in {equation} has no derivative where {where}; taken there: {convention}",
        "tie": "{function} in {equation} has no derivative at a tie in {where}; taken there: {convention}",
        # Numbers.
        "worked": "Worked in numbers",
        "rounded": "Numbers are computed in double precision and rounded for display to {digits} significant "
        "figures, so the last figure of a product of displayed numbers may differ. An exact number is shown as it "
        "is.",
        "first example": " The data have {count} examples; the first one is worked here, as a batch of one.",
        "first example alone": " The data have {count} examples; the first one is worked here.",
        "drawn": " Not given, and drawn with seed {seed}: {names}.",
        "given": "Given",
        "values forward": "Values on the way to the loss",
        "values backward": "Derivatives on the way back",
        "local factors": "Local factors",
        "local factors once": "Each factor of the chains below, once:",
        "factor": "factor",
        "formula": "formula",
        "value": "value",
        "rule": "rule",
        "every weight": "Every weight",
        "one weight of each array": "One weight of each array",
        "update title": "The update",
        "update": "One step of gradient descent with learning rate {rate} takes the loss {equation} from {before} to "
        "{after}.",
        "some weights": "The table has {shown} of the {count} weights.",
        "weight": "weight",
        "before": "before",
        "gradient": "gradient",
        "after": "after",
        # Checks.
        "checks": "Checks",
        "checks explained": "The product of the local derivatives along each way to the loss, summed; the "
        "derivative that SymPy takes of {loss} written out as an expression in this one weight, with numbers for "
        "all else; and the difference quotient {quotient}. The error is the largest distance of the last two from "
        "the first, relative to it.",
        "product of the steps": "product of the steps",
        "difference": "difference",
        "error": "error",
        "not taken": "not taken",
    }
)
"""The sentences by key; what stands in braces is put in."""

ENGLISH_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
