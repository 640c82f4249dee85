"""Google's and Microsoft's own Python runtimes, timed block by block: "KIND PATH THREADS" as arguments, then for each
line on stdin that holds a number of runs, one line with each run's time in milliseconds."""

import sys
import time

import numpy as np


def litert(path, threads):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(path, num_threads=threads)
    interpreter.allocate_tensors()
    for port in interpreter.get_input_details():
        interpreter.set_tensor(port["index"], np.full(port["shape"], 0.5).astype(port["dtype"]))
    return interpreter.invoke


def ort(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feeds = {
        port.name: np.full([size if isinstance(size, int) else 1 for size in port.shape], 0.5, np.float32)
        for port in session.get_inputs()
    }
    return lambda: session.run(None, feeds)


kind, path, threads = sys.argv[1:]
run = {"litert": litert, "ort": ort}[kind](path, int(threads))
print("ready", flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    print(" ".join(f"{ms:.6f}" for ms in times), flush=True)
