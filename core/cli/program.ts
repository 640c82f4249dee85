import { Command, CommanderError, Option } from 'commander';
import {
  calibrations,
  ioTypes,
  onnxForms,
  outputFormats,
  precisions,
  recoveries,
} from '../contract/choices.ts';
import {
  choiceOption,
  countOption,
  fixedOption,
  integerOption,
  listOption,
  percentOption,
  portOption,
  shapeOption,
} from './arguments.ts';
import { type CliIo, type CommandContext, exitCodes, printError } from './io.ts';

/**
 * Runs one command line and returns its exit code. Commands are loaded when they are called, so that `--help` costs
 * nothing but this file.
 */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  const cancel = new AbortController();
  const context: CommandContext = { io, signal: cancel.signal };
  const json = args.includes('--json');
  let code: number = exitCodes.done;
  const run =
    <A extends unknown[]>(action: (...args: A) => Promise<number>) =>
    async (...given: A): Promise<void> => {
      code = await action(...given);
    };
  const program = buildProgram(context, run);
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: io.err, writeOut: (text) => void io.out(text) });
  }

  let interrupts = 0;
  const interrupt = async (): Promise<void> => {
    cancel.abort();
    // Asked twice, a person does not want to wait for the native call that is running.
    if (++interrupts < 2) return;
    const { removeUnfinished } = await import('../studio/safe-files.ts');
    removeUnfinished();
    process.exit(exitCodes.cancelled);
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) return await printError(io, error, json);
    if (error.exitCode === 0) return exitCodes.done;
    if (json) await printUsageError(io, error);
    return exitCodes.usage;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

async function printUsageError(io: CliIo, error: CommanderError): Promise<void> {
  const message = error.message.replace(/^error: /, '');
  await io.out(`${JSON.stringify({ error: { code: 'usage', message, issues: [] } }, null, 2)}\n`);
}

type Run = <A extends unknown[]>(action: (...args: A) => Promise<number>) => (...given: A) => Promise<void>;

const jsonOption = (): Option => new Option('--json', 'print one JSON document on stdout');
const shapesOption = (): Option =>
  new Option('--shape <NAME=DIMS>', 'settle open dimensions: NAME=1x224x224x3; may be repeated').argParser(
    shapeOption,
  );
const fixOption = (): Option =>
  new Option(
    '--fix <NAME=VALUE>',
    'give an input one value for good: NAME=16000 or NAME=1,0,2; may be repeated',
  ).argParser(fixedOption);
const dataHelp =
  'samples: .npz, .npy, .csv, or a folder of images, .npy or .wav; they settle open dimensions, too';

function buildProgram(context: CommandContext, run: Run): Command {
  const program = new Command('whittle')
    .description('Makes neural networks small and fast, and shows what it cost.')
    .option('-v, --version', 'print the version')
    .showHelpAfterError('(whittle COMMAND --help tells the options)')
    .action(
      run(async (options: { version?: boolean }) => {
        if (!options.version) program.help({ error: true });
        const { whittleVersion } = await import('../studio/version.ts');
        await context.io.out(`${whittleVersion()}\n`);
        return exitCodes.done;
      }),
    );

  program
    .command('inspect')
    .description('say what a model is, and what stands in the way of converting it')
    .argument('<model>', 'a .h5, .keras, .onnx, .tflite, .pb or model.json file, or a SavedModel folder')
    .addOption(shapesOption())
    .addOption(fixOption())
    .addOption(jsonOption())
    .action(
      run(async (model, options) => (await import('./commands/inspect.ts')).inspect(model, options, context)),
    );

  program
    .command('optimize')
    .description('make smaller files in the chosen precisions, each one verified in its runtime')
    .argument('<model>', 'a .h5, .keras, .onnx, .tflite, .pb or model.json file, or a SavedModel folder')
    .option('--precision <list>', `comma-separated: ${precisions.join(', ')}`, listOption(precisions))
    .option('--data <path>', dataHelp)
    .option('--samples <n>', 'samples to calibrate on (100)', countOption)
    .option('--calibration <kind>', `${calibrations.join(', ')} (minmax)`, choiceOption(calibrations))
    .option('--io <type>', `inputs and outputs: ${ioTypes.join(', ')} (float32)`, choiceOption(ioTypes))
    .option('--format <list>', `${outputFormats.join(', ')} (tflite)`, listOption(outputFormats))
    .option('--layout <layout>', 'nhwc, or keep the source’s (nhwc)', choiceOption(['nhwc', 'keep'] as const))
    .addOption(shapesOption())
    .addOption(fixOption())
    .option('--recipe <file>', 'take choices from a recipe; options given beside it win')
    .option('--preprocess <file>', 'how pictures are prepared, as JSON')
    .option('--recovery <steps>', `${recoveries.join(', ')} (fast)`, choiceOption(recoveries))
    .option('--pure-integer', 'keep every operator in integers, a final softmax too')
    .option('--out <dir>', 'where the files go', 'whittle-out')
    .option('--force', 'replace files that are there already')
    .option('--diagnose', 'look into each file, operator by operator, and say what costs quality')
    .option('--max-drop <pct>', 'most accuracy that may be lost, in percent', percentOption)
    .option('--max-size <bytes>', 'largest file that is still good', countOption)
    .option(
      '--onnx-form <form>',
      `integers of ONNX files: ${onnxForms.join(', ')} (auto)`,
      choiceOption(onnxForms),
    )
    .option('--python <file>', 'also write the recipe as a Python script for the usual tools')
    .option('--seed <n>', 'seed of every random choice (0)', integerOption)
    .addOption(jsonOption())
    .action(
      run(async (model, options) =>
        (await import('./commands/optimize.ts')).optimize(model, options, context),
      ),
    );

  program
    .command('evaluate')
    .description('measure quality and accuracy of models on samples')
    .argument('<models...>', '.tflite, .onnx, .h5 or .keras files')
    .requiredOption('--data <path>', dataHelp)
    .option('--reference <model>', 'the float model to compare with (the first one of several)')
    .option('--preprocess <file>', 'how pictures are prepared, as JSON')
    .addOption(jsonOption())
    .action(
      run(async (models, options) =>
        (await import('./commands/evaluate.ts')).evaluate(models, options, context),
      ),
    );

  program
    .command('profile')
    .description('measure how long models take; several are also run in turn with the first one')
    .argument('<models...>', '.tflite or .onnx files; others are measured in their float32 form')
    .option(
      '--engine <engine>',
      'auto, litert, litert-wasm or ort',
      choiceOption(['auto', 'litert', 'litert-wasm', 'ort'] as const),
      'auto',
    )
    .option('--device <device>', 'cpu, gpu, or a provider of onnxruntime', 'cpu')
    .option('--threads <n>', 'threads to run on', countOption)
    .option('--runs <n>', 'runs to measure', countOption)
    .option('--per-op', 'time of each operator')
    .addOption(jsonOption())
    .action(
      run(async (models, options) =>
        (await import('./commands/profile.ts')).profile(models, options, context),
      ),
    );

  program
    .command('compare')
    .description('put results side by side, as a table or as one HTML file')
    .argument('<paths...>', 'a folder that optimize wrote, or model files')
    .option('--data <path>', dataHelp)
    .option('--report <file>', 'write a report that needs nothing else, as .html')
    .option('--force', 'replace a report that is there already')
    .addOption(jsonOption())
    .action(
      run(async (paths, options) => (await import('./commands/compare.ts')).compare(paths, options, context)),
    );

  program
    .command('serve')
    .description('open the studio in the browser')
    .option('--port <n>', 'port to listen on (any free one)', portOption)
    .option('--no-open', 'print the address, open nothing')
    .action(run(async (options) => (await import('./commands/serve.ts')).serve(options, context)));

  program
    .command('setup')
    .description('what an optional part needs, and how to get it')
    .argument('<part>', 'cuda: NVIDIA GPUs in onnxruntime', choiceOption(['cuda'] as const))
    .option('--fetch', 'download what is missing')
    .addOption(jsonOption())
    .action(run(async (_part, options) => (await import('./commands/setup.ts')).setupCuda(options, context)));

  program
    .command('doctor')
    .description('what runtimes, devices and optional parts this machine has')
    .addOption(jsonOption())
    .action(run(async (options) => (await import('./commands/doctor.ts')).doctor(options, context)));

  return program;
}
