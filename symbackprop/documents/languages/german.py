"""What documents say in German."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["GERMAN", "GERMAN_MONTHS", "GERMAN_PHRASES"]

GERMAN: Mapping[str, str] = MappingProxyType(
    {
        # What is put together from several parts.
        "enumeration": "{first} und {last}",
        "date": "{day}. {month} {year}",
        "figure": "Abbildung",
        "in words": "In Worten",
        "contents": "Inhalt",
        "title": "Backpropagation: {name}",
        "made by": "Erstellt von {version}; erneut zu erzeugen mit: {command}",
        # How a document begins.
        "layer zero": "die Eingaben, {inputs}, als das, was vor Schicht 1 kommt",
        "entry upstream": "Produkt aus Ausgabe und Gradient von außen",
        "entry categorical_cross_entropy_with_logits": "Kreuzentropie, aus Logits",
        "entry categorical_cross_entropy": "Kreuzentropie",
        "entry binary_cross_entropy_with_logits": "Kreuzentropie zweier Klassen, aus Logits",
        "entry binary_cross_entropy": "Kreuzentropie zweier Klassen",
        "entry hinge": "Hinge-Verlust",
        "entry log_cosh": "Logarithmus des Kosinus hyperbolicus des Fehlers",
        "entry huber": "Huber-Verlust",
        "entry half_squared_error": "halber quadratischer Fehler",
        "entry mean_absolute_error": "absoluter Fehler",
        "entry mean_squared_error": "quadratischer Fehler",
        "result assumption alone": "Dies gilt unter der Annahme {assumptions}.",
        "any layer inputs": " Vor der ersten Schicht stehen die Eingaben: {first} ist {inputs}.",
        "some not taken": " Wo der Verlust als Ausdruck zu lang ist oder zu viele Fälle hat, wird SymPys "
        "Ableitung nicht gebildet.",
        "some checked": " Von jedem Feld wird ein Eintrag geprüft.",
        "made by alone": "Erstellt von {version}",
        "made alone": "Hergeleitet von symbackprop {version}.",
        "network": "Ein vorwärtsgerichtetes Netz mit {inputs}; {layers}.",
        "one input": "einem Eingang",
        "inputs": "{count} Eingängen",
        "one unit": "eine Einheit",
        "units": "{count} Einheiten",
        "layer": "Schicht {first} hat {units} und die Aktivierung {activation}",
        "two layers": "die Schichten {first} und {last} haben je {units} und die Aktivierung {activation}",
        "layers": "die Schichten {first} bis {last} haben je {units} und die Aktivierung {activation}",
        "without bias": ", ohne Bias",
        "program": "Ein Programm mit dem Verlust {loss}; Zahl der Gleichungen: {count}.",
        "loss": "Der Verlust: {name}.",
        "loss mean examples": "Der Verlust, gemittelt über die Beispiele: {name}.",
        "loss sum examples": "Der Verlust, summiert über die Beispiele und nicht gemittelt: {name}.",
        "loss mean entries": "Der Verlust, gemittelt über alle Beispiele und Ausgänge: {name}.",
        "loss sum entries": "Der Verlust, summiert über alle Beispiele und Ausgänge und nicht gemittelt: {name}.",
        "penalties": " Hinzu kommt für jede Gewichtsmatrix {penalties}; für den Bias gibt es keinen Strafterm.",
        "penalty l1": "das {factor}-fache der Summe der Beträge ihrer Einträge",
        "penalty l2": "das {factor}-fache der halben Summe der Quadrate ihrer Einträge",
        "made": "Hergeleitet von symbackprop {version}; dieses Dokument wird erneut erzeugt mit {command}.",
        "made drawn": " Zufälliges ist mit dem Startwert {seed} gezogen.",
        # Figures.
        "network caption": "Das Netz, für ein Beispiel. Eine Kante ist ein Gewicht: {weight} führt von Einheit "
        "{source} zu Einheit {target} der nächsten Schicht.",
        "units not drawn": " Punkte stehen für Einheiten, die nicht gezeichnet sind.",
        "layers not drawn": " Von den {count} Schichten sind die ersten drei und die letzten zwei gezeichnet.",
        "graph caption": "Der Berechnungsgraph. Die durchgezogenen Pfeile tragen die Werte zu {loss}, die "
        "gestrichelten tragen die Ableitungen zurück.",
        "graph caption numbers": "Der Berechnungsgraph des durchgerechneten Beispiels, Vektoren als Spalten. Die "
        "durchgezogenen Pfeile tragen die Werte zu {loss}, die gestrichelten tragen die Ableitungen zurück; beide "
        "sind auf drei gültige Ziffern gerundet. Unter einem Kasten steht links sein Wert, rechts die Ableitung "
        "danach.",
        "equations not drawn": " Von den {count} Gleichungen sind die ersten vier und die letzten vier gezeichnet.",
        # In a drawing.
        "network drawing title": "Das Netz {name}",
        "network drawing": "Spalten von Kreisen von links nach rechts, jeder Kreis mit jedem Kreis der nächsten "
        "Spalte durch die Kante eines Gewichts verbunden. {network}",
        "input units": "Eingänge",
        "layer units": "Schicht {number}",
        "bias": "Bias",
        "no bias": "kein Bias",
        "graph drawing title": "Der Berechnungsgraph von {name}",
        "graph drawing": "Ein Graph mit einem Kasten für jede Variable. Gegeben: {given}. Berechnet, in dieser "
        "Reihenfolge: {computed}. Werte laufen entlang der durchgezogenen Pfeile, Ableitungen des Verlusts laufen "
        "entlang der gestrichelten zurück.",
        "graph drawing numbers": " Zahlen: {numbers}.",
        "more equations": "{count} weitere Gleichungen",
        "node left out": "{count} Gleichungen, die nicht gezeichnet sind",
        "node": "{name} aus {sources}",
        "wire": "{name} ist {value}",
        "wire with derivative": "{name} ist {value} mit der Ableitung {derivative}",
        # The result.
        "result": "Ergebnis",
        "result batch": "Für einen Batch von Beispielen, vom Verlust nach innen:",
        "result single": "Vom Verlust nach innen:",
        "result deep": "Vom Verlust nach innen; zuerst, was nicht in allen Schichten gleich ist:",
        "result any layer": "Jede Schicht {layer} mit der Aktivierungsfunktion {activation}, und die "
        "Schicht dahinter, wo es eine gibt:",
        "result assumption": "Dies gilt unter der Annahme {assumptions}; ohne sie gilt die längere Form, die unten "
        "hergeleitet wird.",
        "unreached": "Der Verlust hängt nicht von {names} ab, also ist die Ableitung 0.",
        # Notation.
        "notation": "Schreibweise",
        "symbol": "Zeichen",
        "meaning": "Bedeutung",
        "shape": "Format",
        "counted from one": "Indizes zählen ab 1.",
        "capitals": "Eine Matrix wird mit einem Großbuchstaben geschrieben, oder fett, wo dieser Buchstabe vergeben "
        "ist; ihre Einträge mit dem kleinen. Ein Vektor ist eine Spalte.",
        "no capitals": "Matrizen, Vektoren und ihre Einträge werden mit demselben kleinen Buchstaben geschrieben. Ein "
        "Vektor ist eine Spalte.",
        "derivative by an array": "Die Ableitung einer Zahl nach einer Matrix oder einem Vektor hat deren Format: "
        "Eintrag für Eintrag die Ableitung nach diesem Eintrag.",
        "examples as rows": "Ein Batch von {size} Beispielen steht in Zeilen: jede Zeile ist ein Beispiel.",
        "examples as columns": "Ein Batch von {size} Beispielen steht in Spalten: jede Spalte ist ein Beispiel.",
        "one example": "Gerechnet wird mit einem einzigen Beispiel, als Spaltenvektor.",
        "hadamard": "{sign} multipliziert Eintrag für Eintrag; Produkte von Matrizen binden stärker.",
        "entrywise division": "{sign} dividiert Eintrag für Eintrag.",
        "entrywise power": "{sign} potenziert jeden Eintrag der Matrix.",
        "ones": "{sign} ist die Spalte aus so vielen Einsen, wie ihr Index sagt. Eine Zahl, die zu einer Matrix oder "
        "einem Vektor addiert wird, wird zu jedem Eintrag addiert.",
        "by rows": "Der tiefgestellte Zusatz »rows« sagt, dass jede Zeile für sich genommen wird.",
        "by columns": "Der tiefgestellte Zusatz »columns« sagt, dass jede Spalte für sich genommen wird.",
        "bracket": "{bracket} ist 1, wo die Bedingung erfüllt ist, und sonst 0.",
        "to layer": "{meaning}, und so weiter bis Schicht {last}",
        "number of examples": "Anzahl der Beispiele",
        "a size": "eine Anzahl",
        "index of examples": "Index der Beispiele",
        "index of units": "Indizes der Einheiten und Einträge",
        "a layer": "Nummer einer beliebigen Schicht",
        "any argument": "Argument einer Funktion",
        "any weight": "ein beliebiges Gewicht oder ein beliebiger Bias",
        "any activation": "Aktivierungsfunktion der Schicht {layer}",
        "units of any layer": "Anzahl der Einheiten der Schicht {layer}",
        "learning rate": "Lernrate",
        "step of a check": "Schrittweite eines Differenzenquotienten",
        "a number": "Zahl",
        "error signal": "Fehlersignal, {derivative}",
        "functions": "Funktionen, mit den Ableitungen, die verwendet werden:",
        "identities": "Was die Matrixschreibweise Eintrag für Eintrag bedeutet, für beliebige Matrizen A und B, "
        "Vektoren u und v und Funktionen f:",
        # Forward pass and loss.
        "forward": "Vorwärtsrechnung",
        "loss section": "Verlust",
        "definition": "{meaning}, {symbol} vom Format {shape}",
        "definition without meaning": "{symbol} vom Format {shape}",
        "note": "{text}; {note}",
        "assumed": "Angenommen wird {assumptions}.",
        "remark half_squared_error": "Die Hälfte steht da, damit sich die 2 wegkürzt, die die Potenzregel mitbringt.",
        "remark categorical_cross_entropy": "Die Zielwerte sind die Wahrscheinlichkeiten der Klassen.",
        "remark categorical_cross_entropy_with_logits": "Die Zielwerte sind die Wahrscheinlichkeiten der Klassen.",
        "remark binary_cross_entropy": "Ein Zielwert ist 1 oder 0, oder eine Wahrscheinlichkeit.",
        "remark binary_cross_entropy_with_logits": "Ein Zielwert ist 1 oder 0, oder eine Wahrscheinlichkeit.",
        "remark hinge": "Ein Zielwert ist 1 oder -1.",
        "remark upstream": "Die Zielwerte sind die Ableitungen eines anderen Verlusts nach den Ausgängen; damit ist "
        "dies die Rückwärtsrechnung der Schichten allein.",
        # Backward pass.
        "backward": "Rückwärtsrechnung",
        "backward introduction": "Die Kettenregel wird auf eine Gleichung nach der anderen angewandt, auf die letzte "
        "zuerst. Die Ableitung nach einer Variablen ist die Summe von Beiträgen, je einem für jede Stelle, an der die "
        "Variable steht. Jede lokale Ableitung hat eine eigene Zeile; Ableitungen, die null sind, entfallen.",
        "graph shown": " {figure} zeigt das Ganze.",
        "any layer": "Eine beliebige Schicht",
        "any layer introduction": "Was in einer Schicht geschieht, geschieht in allen; deshalb wird es einmal "
        "hergeleitet, für Schicht {layer} mit einer beliebigen Aktivierungsfunktion {activation}, die Eintrag für "
        "Eintrag wirkt, und die Schicht {next} dahinter.",
        "any z1": "Voraktivierungen der Schicht {layer}",
        "any a1": "Aktivierungen der Schicht {layer}",
        "any z2": "Voraktivierungen der Schicht {next}",
        "any W1": "Gewichte der Schicht {layer}",
        "any b1": "Bias der Schicht {layer}",
        "any layer signal": "Der Verlust hängt von Schicht {layer} nur über {variable} ab. Die Ableitung danach, "
        "{signal}, sei schon bekannt.",
        "layer title": "Schicht {number}",
        "from the loss": "Vom Verlust aus",
        "inputs title": "Eingaben und Zielwerte",
        "variable": "Ableitung nach {name}",
        "by the chain rule": "{meaning}, nach der Kettenregel über {places}:",
        "by the general one": "{meaning}, nach {equation} mit {layer}:",
        "by the general one with": "{meaning}, nach {equation} mit {layer} und der Aktivierungsfunktion dieser "
        "Schicht.",
        "stands in": "{meaning}: {symbol} steht in {places}.",
        "stands in without meaning": "{symbol} steht in {places}.",
        "marked": " Ein Zeichen {mark} bedeutet: nach dieser Stelle allein, die anderen Stellen der Variablen "
        "festgehalten.",
        "from": "Aus {equation}: {reasons}.",
        "rule with identity": "{rule}, {identity}",
        "rule with reason": "{rule} ({reason})",
        "step": "{rule}: {reason}",
        "plain step": "{reason}",
        "fold": "geschrieben mit einem Wert, den die Vorwärtsrechnung schon hat",
        "citing": "{text}, {equation}",
        "put in": "Eingesetzt:",
        "together": "Zusammen{steps}:",
        "together as matrices": "Zusammen{steps}; als Matrizen nach {identities}:",
        "assuming": "Gilt {assumption}, so ist dies",
        "probabilities": "Die Kette über die Wahrscheinlichkeiten",
        "through probabilities": "Der Verlust wird oben aus den Voraktivierungen berechnet, der numerischen Stabilität "
        "wegen. Aus den Wahrscheinlichkeiten berechnet ist er {loss}, und die Kette über sie ergibt dasselbe:",
        "cancel": "Die erste Zeile in die zweite eingesetzt und gekürzt:",
        # Points without derivative.
        "kinks": "Stellen ohne Ableitung",
        "kink": "{function} in {equation} hat keine Ableitung bei {where}; dort gilt: {convention}",
        "tie": "{function} in {equation} hat keine Ableitung, wenn mehrere Einträge von {where} zugleich am größten "
        "sind; dort gilt: {convention}",
        # Numbers.
        "worked": "In Zahlen durchgerechnet",
        "rounded": "Gerechnet wird mit doppelter Genauigkeit, gezeigt werden {digits} gültige Ziffern; die letzte "
        "Ziffer eines Produkts gezeigter Zahlen kann daher abweichen. Eine exakte Zahl steht da, wie sie ist.",
        "first example": " Die Daten haben {count} Beispiele; hier wird das erste durchgerechnet, als Batch aus einem "
        "Beispiel.",
        "first example alone": " Die Daten haben {count} Beispiele; hier wird das erste durchgerechnet.",
        "drawn": " Nicht gegeben, sondern mit dem Startwert {seed} gezogen: {names}.",
        "given": "Gegeben",
        "values forward": "Werte auf dem Weg zum Verlust",
        "values backward": "Ableitungen auf dem Rückweg",
        "local factors": "Lokale Faktoren",
        "local factors once": "Jeder Faktor der Ketten, die folgen, einmal:",
        "factor": "Faktor",
        "formula": "Formel",
        "value": "Wert",
        "rule": "Regel",
        "every weight": "Jedes Gewicht",
        "one weight of each array": "Je ein Gewicht",
        "update title": "Der Schritt",
        "update": "Ein Schritt des Gradientenabstiegs mit der Lernrate {rate} bringt den Verlust {equation} von "
        "{before} auf {after}.",
        "some weights": "Die Tabelle enthält {shown} der {count} Gewichte.",
        "weight": "Gewicht",
        "before": "vorher",
        "gradient": "Gradient",
        "after": "nachher",
        # Checks.
        "checks": "Proben",
        "checks explained": "Das Produkt der lokalen Ableitungen auf jedem Weg zum Verlust, summiert; die "
        "Ableitung, die SymPy von {loss} bildet, ausgeschrieben als Ausdruck in diesem einen Gewicht, mit Zahlen "
        "für alles andere; und der Differenzenquotient {quotient}. Der Fehler ist der größte Abstand der letzten "
        "beiden vom ersten, relativ zu diesem.",
        "product of the steps": "Produkt der Schritte",
        "difference": "Differenz",
        "error": "Fehler",
        "not taken": "nicht gebildet",
    }
)
"""The sentences by key; what stands in braces is put in."""

GERMAN_MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)

GERMAN_PHRASES: Mapping[str, str] = MappingProxyType(
    {
        # Rules.
        "{rule}, then {further}": "{rule}, dann {further}",
        "identity": "Identität",
        "sum rule": "Summenregel",
        "constant factor rule": "Faktorregel",
        "sum and constant factor rule": "Summen- und Faktorregel",
        "power rule": "Potenzregel",
        "product rule": "Produktregel",
        "chain rule": "Kettenregel",
        "case by case": "Fall für Fall",
        "derivative of {function}": "Ableitung von {function}",
        "derivative of the activation": "Ableitung der Aktivierungsfunktion",
        "derivative of absolute": "Ableitung des Betrags",
        "derivative of gelu_tanh": "Ableitung von GELU mit tanh",
        "derivative of hard_sigmoid": "Ableitung von Hard Sigmoid",
        "derivative of huber": "Ableitung der Huber-Funktion",
        "derivative of leaky_relu": "Ableitung von Leaky ReLU",
        "derivative of log_cosh": "Ableitung von log cosh",
        "derivative of normal_cdf": "Ableitung der Verteilungsfunktion der Normalverteilung",
        "derivative of normal_pdf": "Ableitung der Dichte der Normalverteilung",
        "derivative of sigmoid": "Ableitung der Sigmoidfunktion",
        "index": "Index",
        "constant sum": "konstante Summe",
        "fold": "Benennen",
        "put in": "Einsetzen",
        "like terms": "gleichartige Terme",
        "common factor": "gemeinsamer Faktor",
        # Reasons.
        "the derivative of a quantity by itself is 1": "die Ableitung einer Größe nach sich selbst ist 1",
        "the other summands do not contain it": "in den anderen Summanden kommt diese Größe nicht vor",
        "the other summands do not contain it, its factor stays": "in den anderen Summanden kommt diese Größe nicht "
        "vor, ihr Faktor bleibt stehen",
        "linear in it, so its factor stays": "linear in dieser Größe, also bleibt ihr Faktor stehen",
        "a known derivative": "eine bekannte Ableitung",
        "the exponent times the next lower power, times the inner derivative": "der Exponent mal die nächstniedrigere "
        "Potenz, mal die innere Ableitung",
        "each case is differentiated; the conditions are locally constant": "jeder Fall wird abgeleitet; die "
        "Bedingungen sind lokal konstant",
        "each factor is differentiated in turn": "die Faktoren werden der Reihe nach abgeleitet",
        "outer derivative times inner derivative": "äußere Ableitung mal innere Ableitung",
        "every other entry has derivative zero": "jeder andere Eintrag hat die Ableitung null",
        "only the entry at that position counts, so a bracket stays": "nur der Eintrag an dieser Stelle zählt, also "
        "bleibt eine Klammer stehen",
        "every term of the sum is the same": "alle Summanden sind gleich",
        "the program computes this already": "das Programm berechnet dies schon",
        "it holds data and constants only": "darin stehen nur Daten und Konstanten",
        "equal up to their coefficients": "bis auf ihre Koeffizienten gleich",
        "the same coefficient stands in every term": "derselbe Koeffizient steht in jedem Term",
        # Meanings of variables.
        "inputs": "Eingaben",
        "targets": "Zielwerte",
        "weights of layer {number}": "Gewichte der Schicht {number}",
        "biases of layer {number}": "Bias der Schicht {number}",
        "pre-activations of layer {number}": "Voraktivierungen der Schicht {number}",
        "activations of layer {number}": "Aktivierungen der Schicht {number}",
        "penalty on the weights of layer {number}": "Strafterm für die Gewichte der Schicht {number}",
        "logarithms of the probabilities": "Logarithmen der Wahrscheinlichkeiten",
        "probabilities, sigmoid of the logits": "Wahrscheinlichkeiten, Sigmoid der Logits",
        "probabilities, softmax of the logits": "Wahrscheinlichkeiten, Softmax der Logits",
        "the loss": "der Verlust",
        "the loss without penalties": "der Verlust ohne Strafterme",
        "the loss, penalties included": "der Verlust mit den Straftermen",
        "input": "Eingabe",
        "target": "Zielwert",
        "parameter": "Parameter",
        "intermediate": "Zwischenergebnis",
        # Notes on equations.
        "log softmax, written so that nothing overflows or vanishes": "log softmax, so geschrieben, dass nichts "
        "überläuft oder verschwindet",
        "log sigma(z) = z - softplus(z) and log(1 - sigma(z)) = -softplus(z)": "log sigma(z) = z - softplus(z) und "
        "log(1 - sigma(z)) = -softplus(z)",
        "-log sigma(z) = softplus(-z)": "-log sigma(z) = softplus(-z)",
        # Activations, and other functions that have kinks.
        "sigmoid": "Sigmoid",
        "tanh": "tanh",
        "relu": "ReLU",
        "leaky relu": "Leaky ReLU",
        "elu": "ELU",
        "selu": "SELU",
        "softplus": "Softplus",
        "gelu": "GELU",
        "gelu tanh": "GELU mit tanh",
        "silu": "SiLU",
        "hard sigmoid": "Hard Sigmoid",
        "softmax": "Softmax",
        "absolute": "Der Betrag",
        "clamp": "clamp",
        "max": "Das Maximum",
        "a definition by cases": "Eine Definition durch Fallunterscheidung",
        # What is taken at a kink.
        "slope {number}": "Steigung {number}",
        "the left slope, lambda*alpha = {number}": "linksseitige Steigung, lambda*alpha = {number}",
        "the slope of the first largest entry": "Steigung des ersten größten Eintrags",
        "the case whose condition holds": "der Fall, dessen Bedingung erfüllt ist",
        # Losses. That they are means is said apart.
        "half squared error": "halber quadratischer Fehler",
        "mean squared error": "quadratischer Fehler",
        "mean absolute error": "absoluter Fehler",
        "huber": "Huber-Verlust",
        "log cosh": "log cosh des Fehlers",
        "hinge": "Hinge-Verlust",
        "binary cross entropy": "binäre Kreuzentropie",
        "binary cross entropy with logits": "binäre Kreuzentropie der Logits",
        "categorical cross entropy": "kategorische Kreuzentropie",
        "categorical cross entropy with logits": "kategorische Kreuzentropie der Logits",
        "upstream": "Summe der Ausgänge, jeder mal seinen Zielwert",
    }
)
"""What other parts of the package say in English, and what that is in German; places as in sentences."""
