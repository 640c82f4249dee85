import { spawn } from 'node:child_process';
import { WhittleError } from '../../contract/errors.ts';
import { cudaSetup } from '../../runtime/ort.ts';
import { type CommandContext, exitCodes, printJson } from '../io.ts';

/**
 * `whittle setup cuda`: what onnxruntime needs to run on an NVIDIA GPU, and with `--fetch` the libraries themselves.
 * Without it nothing is downloaded.
 * @throws WhittleError `runtime.missing` where there is no such provider, or where it could not be fetched
 */
export async function setupCuda(
  options: { fetch?: boolean; json?: boolean },
  { io, signal }: CommandContext,
): Promise<number> {
  const { isSupported, isFetched, folder, fetch } = cudaSetup();
  const command = `node ${fetch.join(' ')}`;
  const steps = [
    'An NVIDIA driver for CUDA 12, with the CUDA 12 runtime, cuBLAS, cuFFT and cuDNN 9 where the system finds libraries. TensorRT 10 as well for the provider tensorrt.',
    `onnxruntime's providers for CUDA and TensorRT, from NuGet, in ${folder}. They are not in the package; \`whittle setup cuda --fetch\` runs its own script: ${command}`,
    `Without a network here: run the same command where there is one, with the same version of onnxruntime-node, and copy libonnxruntime_providers_shared.so, …_cuda.so and …_tensorrt.so into ${folder}.`,
    'Then: whittle doctor, and whittle profile MODEL.onnx --device cuda.',
  ];
  if (!isSupported)
    throw new WhittleError(
      'runtime.missing',
      `onnxruntime-node has no CUDA provider for ${process.platform} ${process.arch}; it has one for linux x64.`,
      { hint: 'On Windows use --device dml, on macOS --device coreml.' },
    );
  io.err(isFetched ? `The CUDA provider is in ${folder}.\n` : 'The CUDA provider is not here. It takes:\n');
  if (!isFetched) for (const [i, step] of steps.entries()) io.err(`${i + 1}. ${step}\n`);
  const wanted = options.fetch === true && !isFetched;
  if (wanted) await run(fetch, signal);
  if (options.json) await printJson(io, { isFetched: cudaSetup().isFetched, folder, command, steps });
  return exitCodes.done;
}

function run(args: readonly string[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void =>
      reject(
        new WhittleError('runtime.missing', `The CUDA provider could not be fetched: ${why}.`, {
          hint: 'NuGet must be in reach; `whittle setup cuda` tells how to bring the files from another machine.',
        }),
      );
    // What the script prints is for a person; stdout belongs to the JSON document.
    const child = spawn(process.execPath, args, { stdio: ['ignore', 2, 2], signal });
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code, how) => (code === 0 ? resolve() : fail(how ?? `exit code ${code}`)));
  });
}
