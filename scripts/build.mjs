// Builds everything that runs: the core (command line, core process, job worker), the desktop shell and the studio's page.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';
import { build as buildPage } from 'vite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

/** Packages that carry native code, WASM or files of their own: they stay in node_modules. */
const external = [
  'onnxruntime-node',
  'koffi',
  'sharp',
  '@litertjs/core',
  'h5wasm',
  'h5wasm/node',
  'electron',
];

const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  sourcemap: true,
  external,
  logLevel: 'warning',
  define: { 'process.env.WHITTLE_VERSION': JSON.stringify(version) },
};

await rm(join(root, 'dist'), { recursive: true, force: true });
await mkdir(join(root, 'dist/core'), { recursive: true });
// In a packaged app the core lies apart from package.json, which is what makes its files ES modules.
await writeFile(join(root, 'dist/core/package.json'), '{ "type": "module" }\n');
await Promise.all([
  bundle({
    ...shared,
    entryPoints: {
      cli: 'core/cli/main.ts',
      'core-process': 'core/host/core-process.ts',
      'job-worker': 'core/host/job-worker.ts',
    },
    entryNames: '[name]',
    chunkNames: 'chunks/[name]-[hash]',
    outdir: 'dist/core',
    format: 'esm',
    splitting: true,
    target: 'node20',
    // Bundled CommonJS packages call require for Node's own modules.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
    },
  }),
  bundle({
    ...shared,
    entryPoints: { main: 'electron/main/main.ts', preload: 'electron/preload/preload.ts' },
    outdir: 'dist/electron',
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    // The oldest shell that the desktop tests run on carries Node 12.
    target: 'node12',
  }),
  buildPage({
    root: join(root, 'renderer'),
    configFile: join(root, 'renderer/vite.config.ts'),
    logLevel: 'warn',
  }),
]);
