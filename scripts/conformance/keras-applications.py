"""Makes one architecture of keras.applications with random weights, for `keras.ts`.

    python keras-applications.py list
    python keras-applications.py make NAME FOLDER

`list` prints the names of all architectures as JSON. `make` writes the model as every library that has it saves it
(Keras 3 and Keras 2), with an input and the answer of TensorFlow to it. What TensorFlow's own converter makes of the
model, and how well TensorFlow agrees with that and with itself, stands in `meta.json`. It prints nothing else on stdout.
"""

import inspect
import json
import os
import pathlib
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy
import tensorflow
import tf_keras
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

LIBRARIES = {"keras3": keras, "keras2": tf_keras}
# Small, for speed, and yet above what every architecture asks for.
SIDE = 96
BLOCK = 12
SAMPLES = 2
# Images that normalization layers take their statistics from.
SETTLING_IMAGES = 8
SEED = 7
# How much an image changes for the question how much the answer does: about as much as rounding to float32.
NUDGE = numpy.float32(1 + 1e-6)
# Where TensorFlow does not agree better with itself, its converter is asked too.
CHAOTIC_DB = 80


def architectures(library):
    """Name to function, without the modules and helpers beside them."""
    found = {}
    for name in dir(library.applications):
        member = getattr(library.applications, name)
        if inspect.isfunction(member) and "weights" in inspect.signature(member).parameters:
            found[name] = member
    return found


def build(function):
    """The whole network up to its class scores, which a softmax would squeeze into nearly equal numbers."""
    return function(weights=None, include_top=True, input_shape=(SIDE, SIDE, 3), classifier_activation=None)


def images(model, random, count):
    """Coloured blocks: pixels where the model scales them itself, else numbers around zero."""
    scales = any(type(layer).__name__ in ("Rescaling", "Normalization") for layer in model.layers)
    low, high = (0, 255) if scales else (-1, 1)
    blocks = random.uniform(low, high, (count, SIDE // BLOCK, SIDE // BLOCK, 3))
    return numpy.kron(blocks, numpy.ones((1, BLOCK, BLOCK, 1))).astype("float32")


def kind_of(weight):
    return getattr(weight, "path", weight.name).split("/")[-1].split(":")[0]


def all_layers(model):
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from all_layers(layer)


def randomize(model, random):
    """Gives every weight that starts as a constant a value of its own, then sets the statistics of all batch
    normalizations to what they see, so that signals stay in range through hundreds of layers."""
    for weight in model.weights:
        kind, shape = kind_of(weight), tuple(weight.shape)
        if kind in ("gamma", "variance", "variable"):
            weight.assign(random.uniform(0.5, 1.5, shape))
        elif kind in ("beta", "bias", "mean"):
            weight.assign(random.normal(0, 0.2, shape))
    for layer in all_layers(model):
        if type(layer).__name__ == "Normalization":
            layer.finalize_state()
    normalizations = [layer for layer in all_layers(model) if type(layer).__name__ == "BatchNormalization"]
    momenta = [layer.momentum for layer in normalizations]
    for layer in normalizations:
        layer.momentum = 0.0
    model(images(model, random, SETTLING_IMAGES), training=True)
    for layer, momentum in zip(normalizations, momenta):
        layer.momentum = momentum


def decibels(reference, other):
    """Signal over difference; None where there is no difference."""
    signal, noise = numpy.sum(reference.astype("float64") ** 2), numpy.sum((reference.astype("float64") - other) ** 2)
    return float(10 * numpy.log10(signal / noise)) if noise > 0 else None


def answers(model, x):
    return numpy.concatenate([numpy.asarray(model(x[i : i + 1], training=False)) for i in range(len(x))])


def tflite_answers(tflite, x):
    interpreter = tensorflow.lite.Interpreter(model_content=tflite)
    interpreter.allocate_tensors()
    [source], [result] = interpreter.get_input_details(), interpreter.get_output_details()
    found = []
    for i in range(len(x)):
        interpreter.set_tensor(source["index"], x[i : i + 1])
        interpreter.invoke()
        found.append(interpreter.get_tensor(result["index"]))
    return numpy.concatenate(found)


def count_operators(tflite):
    """Operators of the first graph, by name."""
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(tflite))
    counts = {}
    for operator in model.subgraphs[0].operators:
        code = model.operatorCodes[operator.opcodeIndex]
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        counts[name] = counts.get(name, 0) + 1
    return counts


def convert(model):
    """TensorFlow's own .tflite in the form where it needs fewest operators: at batch 1, as ours is. The converter
    freezes the function; to freeze it before would only take several times the model's size in memory."""
    function = tensorflow.function(lambda x: model(x, training=False))
    concrete = function.get_concrete_function(tensorflow.TensorSpec((1, SIDE, SIDE, 3), "float32"))
    return tensorflow.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()


def make(name, folder):
    meta = {"name": name, "models": []}
    for dialect, library in LIBRARIES.items():
        function = architectures(library).get(name)
        if function is None:
            continue
        library.utils.set_random_seed(SEED)
        random = numpy.random.default_rng(SEED)
        model = build(function)
        randomize(model, random)
        home = folder / dialect
        home.mkdir(parents=True)
        x = images(model, random, SAMPLES)
        numpy.savez(home / "samples.npz", x=x)
        y = answers(model, x)
        numpy.savez(home / "expected.npz", y=y)
        agreement = {"nudgedDb": decibels(y, answers(model, x * NUDGE))}
        for extension in ("h5", "keras"):
            model.save(home / f"model.{extension}")
        is_chaotic = agreement["nudgedDb"] is not None and agreement["nudgedDb"] < CHAOTIC_DB
        if "operators" not in meta or is_chaotic:
            tflite = convert(model)
            meta.setdefault("operators", count_operators(tflite))
            agreement["theirDb"] = decibels(y, tflite_answers(tflite, x))
        meta["models"].append(
            {
                "dialect": dialect,
                "input": model.layers[0].name,
                "shape": list(x[:1].shape),
                "samples": SAMPLES,
                "parameters": model.count_params(),
                **agreement,
            }
        )
        library.backend.clear_session()
    (folder / "meta.json").write_text(json.dumps(meta))


def main(arguments):
    if arguments == ["list"]:
        print(json.dumps(list(dict.fromkeys(name for library in LIBRARIES.values() for name in architectures(library)))))
    elif len(arguments) == 3 and arguments[0] == "make":
        make(arguments[1], pathlib.Path(arguments[2]))
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
