"""Makes one architecture of keras.applications with random weights, for `keras.ts`.

    python keras-applications.py list
    python keras-applications.py make NAME FOLDER

`list` prints the names of all architectures as JSON. `make` writes the model as every library that has it saves it
(Keras 3 and Keras 2), with an input, the answer of TensorFlow to it, and what TensorFlow's own converter makes of the
model, as `meta.json`. It prints nothing else on stdout.
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
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

LIBRARIES = {"keras3": keras, "keras2": tf_keras}
# Small, for speed, and yet above what every architecture asks for.
SIDE = 96
BLOCK = 12
SAMPLES = 2
# Images that normalization layers take their statistics from.
SETTLING_IMAGES = 8
SEED = 7


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
    """The operators of TensorFlow's own .tflite in the form where it needs fewest: frozen, at batch 1 as ours is."""
    function = tensorflow.function(lambda x: model(x, training=False))
    concrete = function.get_concrete_function(tensorflow.TensorSpec((1, SIDE, SIDE, 3), "float32"))
    frozen = convert_variables_to_constants_v2(concrete)
    return count_operators(tensorflow.lite.TFLiteConverter.from_concrete_functions([frozen]).convert())


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
        answers = [numpy.asarray(model(x[i : i + 1], training=False)) for i in range(SAMPLES)]
        numpy.savez(home / "expected.npz", y=numpy.concatenate(answers))
        for extension in ("h5", "keras"):
            model.save(home / f"model.{extension}")
        if "operators" not in meta:
            meta["operators"] = convert(model)
        meta["models"].append(
            {
                "dialect": dialect,
                "input": model.layers[0].name,
                "shape": list(x[:1].shape),
                "samples": SAMPLES,
                "parameters": model.count_params(),
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
