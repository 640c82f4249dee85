import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** What each room may import, besides itself and `contract`. Tests may import anything of core. */
const mayImport: Record<string, readonly string[]> = {
  'core/contract': [],
  'core/rpc': [],
  'core/kernels': [],
  'core/ir': ['core/kernels'],
  'core/ops': ['core/ir', 'core/kernels'],
  'core/formats': ['core/ops', 'core/ir', 'core/kernels'],
  'core/passes': ['core/ops', 'core/ir', 'core/kernels'],
  'core/data': ['core/ir', 'core/kernels'],
  'core/targets': ['core/formats', 'core/ops', 'core/ir'],
  'core/runtime': ['core/ir', 'core/kernels'],
  'core/calibrate': ['core/formats', 'core/passes', 'core/ops', 'core/data', 'core/ir', 'core/kernels'],
  'core/quantize': [
    'core/calibrate',
    'core/formats',
    'core/passes',
    'core/ops',
    'core/data',
    'core/ir',
    'core/kernels',
  ],
  'core/evaluate': ['core/formats', 'core/passes', 'core/ops', 'core/data', 'core/ir', 'core/kernels'],
  'core/profile': ['core/targets', 'core/formats', 'core/ops', 'core/data', 'core/ir', 'core/kernels'],
  'core/report': ['core/evaluate', 'core/profile', 'core/ir', 'core/kernels'],
  'core/studio': [
    'core/rpc',
    'core/report',
    'core/profile',
    'core/evaluate',
    'core/quantize',
    'core/calibrate',
    'core/passes',
    'core/formats',
    'core/ops',
    'core/data',
    'core/targets',
    'core/ir',
    'core/kernels',
  ],
  'core/host': ['core/studio', 'core/runtime', 'core/rpc'],
  'core/cli': ['core/host', 'core/studio', 'core/runtime', 'core/report', 'core/rpc'],
  renderer: ['core/rpc'],
  electron: ['core/rpc'],
};

/** Packages that only one room may know. */
const packageHomes: Record<string, readonly string[]> = {
  'onnxruntime-node': ['core/runtime'],
  koffi: ['core/runtime'],
  '@litertjs/core': ['core/runtime'],
  h5wasm: ['core/formats'],
  flatbuffers: ['core/formats'],
  '@bufbuild/protobuf': ['core/formats'],
  sharp: ['core/data'],
  ws: ['core/host', 'core/rpc'],
  commander: ['core/cli'],
  electron: ['electron'],
  react: ['renderer'],
  recharts: ['renderer'],
  zustand: ['renderer'],
};

function sourcesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !/\.test\.tsx?$/.test(entry.name))
    .filter((entry) => !join(entry.parentPath, entry.name).includes(join('core', 'testing')))
    .map((entry) => join(entry.parentPath, entry.name));
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from\s+|import\s*\(\s*|import\s+)['"]([^'"]+)['"]/g)].map((match) => match[1]);
}

/** `core/ops/conv/conv.op.ts` → `core/ops`; `renderer/ui/x.tsx` → `renderer`. */
function roomOf(path: string): string {
  const [first, second] = relative(root, path).split(/[\\/]/);
  return first === 'core' ? `core/${second}` : first;
}

const files = ['core', 'renderer', 'electron'].flatMap((zone) => sourcesBelow(join(root, zone)));

describe('imports', () => {
  it('finds the sources', () => {
    expect(files.length).toBeGreaterThan(50);
  });

  it('point down between rooms', () => {
    const wrong: string[] = [];
    for (const file of files) {
      const room = roomOf(file);
      for (const specifier of importsOf(file)) {
        if (!specifier.startsWith('.')) continue;
        const target = roomOf(resolve(dirname(file), specifier));
        if (target === room || target === 'core/contract' || target === 'package.json') continue;
        if (!mayImport[room]?.includes(target)) wrong.push(`${relative(root, file)} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('keep each package behind its room', () => {
    const wrong: string[] = [];
    for (const file of files) {
      for (const specifier of importsOf(file)) {
        const owner = Object.keys(packageHomes).find(
          (name) => specifier === name || specifier.startsWith(`${name}/`),
        );
        if (owner && !packageHomes[owner].includes(roomOf(file))) {
          wrong.push(`${relative(root, file)} imports ${owner}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('never cross between workspaces of the studio', () => {
    const workspaceOf = (path: string) => /renderer\/workspaces\/([^/]+)\//.exec(relative(root, path))?.[1];
    const wrong: string[] = [];
    for (const file of files) {
      const workspace = workspaceOf(file);
      if (!workspace) continue;
      for (const specifier of importsOf(file)) {
        const target = specifier.startsWith('.') ? workspaceOf(resolve(dirname(file), specifier)) : undefined;
        if (target && target !== workspace) wrong.push(`${relative(root, file)} imports workspace ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
