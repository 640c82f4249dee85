import type { OutputFormat } from '../../../core/contract/views.ts';

export const languages = ['Kotlin', 'Swift', 'Python', 'C++'] as const;
export type Language = (typeof languages)[number];

export interface SnippetFacts {
  fileName: string;
  format: OutputFormat;
  inputs: readonly string[];
  outputs: readonly string[];
}

type Writer = (facts: SnippetFacts) => string;

/** A name usable as a variable in all four languages: camel case, without what is not a letter or digit. */
export function variableName(name: string, taken: readonly string[] = []): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter(Boolean);
  const joined = words
    .map(
      (word, index) =>
        (index === 0 ? word.charAt(0).toLowerCase() : word.charAt(0).toUpperCase()) + word.slice(1),
    )
    .join('');
  const base = /^[A-Za-z]/.test(joined) ? joined : `value${joined}`;
  return taken.includes(base) ? `${base}Data` : base;
}

const quote = (text: string): string => JSON.stringify(text);
/** Words that the snippets use themselves. */
const used = ['interpreter', 'runner', 'session', 'model', 'environment', 'result', 'input', 'output'];
const names = (ports: readonly string[]): { name: string; variable: string }[] =>
  ports.map((name) => ({ name, variable: variableName(name, used) }));

const tfliteKotlin: Writer = ({
  fileName,
  inputs,
  outputs,
}) => `// implementation("com.google.ai.edge.litert:litert:<version>")
val file = context.assets.openFd(${quote(fileName)})
val interpreter = Interpreter(
    FileInputStream(file.fileDescriptor).channel
        .map(FileChannel.MapMode.READ_ONLY, file.startOffset, file.declaredLength)
)
${names(outputs)
  .map(
    ({ name, variable }) =>
      `val ${variable} = ByteBuffer.allocateDirect(
    interpreter.getOutputTensorFromSignature(${quote(name)}, "serving_default").numBytes()
).order(ByteOrder.nativeOrder())`,
  )
  .join('\n')}
interpreter.runSignature(
    mapOf(${names(inputs)
      .map(({ name, variable }) => `${quote(name)} to ${variable}`)
      .join(', ')}),
    mapOf(${names(outputs)
      .map(({ name, variable }) => `${quote(name)} to ${variable}`)
      .join(', ')}),
    "serving_default",
)`;

const tfliteSwift: Writer = ({ fileName, inputs, outputs }) => `import TensorFlowLite

let path = Bundle.main.path(forResource: ${quote(fileName.replace(/\.tflite$/, ''))}, ofType: "tflite")!
let interpreter = try Interpreter(modelPath: path)
let runner = try interpreter.signatureRunner(with: "serving_default")
try runner.allocateTensors()
try runner.invoke(with: [${names(inputs)
  .map(({ name, variable }) => `${quote(name)}: ${variable}`)
  .join(', ')}])
${names(outputs)
  .map(({ name, variable }) => `let ${variable} = try runner.output(named: ${quote(name)}).data`)
  .join('\n')}`;

const tflitePython: Writer = ({ fileName, inputs, outputs }) => `# pip install ai-edge-litert
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter(${quote(fileName)})
runner = interpreter.get_signature_runner("serving_default")
result = runner(**{${names(inputs)
  .map(({ name, variable }) => `${quote(name)}: ${variable}`)
  .join(', ')}})
${names(outputs)
  .map(({ name, variable }) => `${variable} = result[${quote(name)}]`)
  .join('\n')}`;

const tfliteCpp: Writer = ({ fileName, inputs, outputs }) => `#include "tflite/interpreter_builder.h"
#include "tflite/kernels/register.h"
#include "tflite/model_builder.h"

auto model = tflite::FlatBufferModel::BuildFromFile(${quote(fileName)});
tflite::ops::builtin::BuiltinOpResolver resolver;
std::unique_ptr<tflite::Interpreter> interpreter;
tflite::InterpreterBuilder(*model, resolver)(&interpreter);
auto* runner = interpreter->GetSignatureRunner("serving_default");
runner->AllocateTensors();
${names(inputs)
  .map(
    ({ name, variable }) =>
      `std::memcpy(runner->input_tensor(${quote(name)})->data.raw, ${variable}.data(), ${variable}.size());`,
  )
  .join('\n')}
runner->Invoke();
${names(outputs)
  .map(({ name, variable }) => `const TfLiteTensor* ${variable} = runner->output_tensor(${quote(name)});`)
  .join('\n')}`;

const onnxKotlin: Writer = ({
  fileName,
  inputs,
  outputs,
}) => `// implementation("com.microsoft.onnxruntime:onnxruntime-android:<version>")
val environment = OrtEnvironment.getEnvironment()
val session = environment.createSession(context.assets.open(${quote(fileName)}).readBytes())
session.run(mapOf(${names(inputs)
  .map(({ name, variable }) => `${quote(name)} to ${variable}`)
  .join(', ')})).use { result ->
${names(outputs)
  .map(({ name, variable }) => `    val ${variable} = result[${quote(name)}].get().value`)
  .join('\n')}
}`;

const onnxSwift: Writer = ({ fileName, inputs, outputs }) => `import onnxruntime_objc

let environment = try ORTEnv(loggingLevel: .warning)
let path = Bundle.main.path(forResource: ${quote(fileName.replace(/\.onnx$/, ''))}, ofType: "onnx")!
let session = try ORTSession(env: environment, modelPath: path, sessionOptions: nil)
let result = try session.run(
    withInputs: [${names(inputs)
      .map(({ name, variable }) => `${quote(name)}: ${variable}`)
      .join(', ')}],
    outputNames: [${outputs.map(quote).join(', ')}],
    runOptions: nil)
${names(outputs)
  .map(({ name, variable }) => `let ${variable} = try result[${quote(name)}]!.tensorData()`)
  .join('\n')}`;

const onnxPython: Writer = ({ fileName, inputs, outputs }) => `# pip install onnxruntime
import onnxruntime

session = onnxruntime.InferenceSession(${quote(fileName)})
${names(outputs)
  .map(({ variable }) => variable)
  .join(', ')}${outputs.length === 1 ? ',' : ''} = session.run(
    [${outputs.map(quote).join(', ')}],
    {${names(inputs)
      .map(({ name, variable }) => `${quote(name)}: ${variable}`)
      .join(', ')}},
)`;

const onnxCpp: Writer = ({ fileName, inputs, outputs }) => `#include <onnxruntime_cxx_api.h>

Ort::Env environment;
Ort::Session session(environment, ORT_TSTR(${quote(fileName)}), Ort::SessionOptions{});
const char* input_names[] = {${inputs.map(quote).join(', ')}};
const char* output_names[] = {${outputs.map(quote).join(', ')}};
// inputs: an array of ${inputs.length} Ort::Value made with Ort::Value::CreateTensor
auto result = session.Run(Ort::RunOptions{}, input_names, inputs, ${inputs.length}, output_names, ${outputs.length});`;

const writers: Record<OutputFormat, Record<Language, Writer>> = {
  tflite: { Kotlin: tfliteKotlin, Swift: tfliteSwift, Python: tflitePython, 'C++': tfliteCpp },
  onnx: { Kotlin: onnxKotlin, Swift: onnxSwift, Python: onnxPython, 'C++': onnxCpp },
};

/** The lines that load the exported file and run it once, with the model's own input and output names. */
export function writeSnippet(language: Language, facts: SnippetFacts): string {
  return writers[facts.format][language](facts);
}
