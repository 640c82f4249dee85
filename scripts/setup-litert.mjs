/**
 * Fetches LiteRT's native library: the wheel `ai-edge-litert` by pip, of which the shared library, its GPU accelerator
 * and the licence are unpacked into `.vendor/litert`. Optional: without it exports are checked by the WebAssembly build.
 *
 *   node scripts/setup-litert.mjs [--optional] [--force]
 *
 * `--optional` exits with 0 also when it could not be done.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// The C interface is called by layout: another version is a decision, not an accident.
const version = '2.3.0';
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, '.vendor', 'litert');
const otherWays =
  'Or take libLiteRt and its accelerator out of the wheel ai-edge-litert by hand and put them there, or point WHITTLE_LITERT at them.';
const wanted =
  /^ai_edge_litert\/(lib)?LiteRt\w*\.(so|dll|dylib)$|\.dist-info\/(METADATA|LICENSE.*|licenses\/.*)$/;

/** The first Python with pip on PATH. */
function findPython() {
  return ['python3', 'python', 'py'].find(
    (name) => spawnSync(name, ['-m', 'pip', '--version'], { stdio: 'ignore' }).status === 0,
  );
}

/**
 * The library does not depend on the Python that it is packed for, so one that has wheels is named.
 * @param {string} python
 * @param {string} folder
 * @returns path of the wheel
 */
function fetchWheel(python, folder) {
  const pip = spawnSync(
    python,
    [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--only-binary=:all:',
    ].concat(['--python-version', '3.12', '--dest', folder, `ai-edge-litert==${version}`]),
    { encoding: 'utf8' },
  );
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
  if (pip.status === 0 && wheel) return join(folder, wheel);
  const lastLine = `${pip.stderr}`.trim().split('\n').at(-1);
  throw new Error(
    `pip could not fetch ai-edge-litert ${version} for ${process.platform} ${process.arch}: ${lastLine}`,
  );
}

/**
 * Unpacks aside and renames, so that a broken download never stands in the library's place.
 * @param {string} wheel
 * @returns number of libraries
 */
async function unpack(wheel) {
  const { unzipSync } = await import('fflate');
  const files = unzipSync(readFileSync(wheel), { filter: (file) => wanted.test(file.name) });
  const aside = join(root, '.vendor', `litert.${process.pid}`);
  let libraries = 0;
  for (const [name, bytes] of Object.entries(files)) {
    const isLibrary = name.startsWith('ai_edge_litert/');
    const path = join(aside, isLibrary ? basename(name) : name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    if (isLibrary) libraries++;
  }
  if (libraries === 0) throw new Error(`the wheel ${basename(wheel)} holds no LiteRT library`);
  rmSync(target, { recursive: true, force: true });
  renameSync(aside, target);
  return libraries;
}

async function setUp() {
  if (!process.argv.includes('--force') && existsSync(join(target, `ai_edge_litert-${version}.dist-info`)))
    return `LiteRT ${version} is already in .vendor/litert.`;
  const python = findPython();
  if (!python) throw new Error('there is no Python with pip on PATH to fetch the wheel ai-edge-litert with');
  const folder = mkdtempSync(join(tmpdir(), 'whittle-litert-'));
  try {
    const libraries = await unpack(fetchWheel(python, folder));
    return `LiteRT ${version} is in .vendor/litert (${libraries} files, by ${python}).`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  console.error(await setUp());
} catch (error) {
  console.error(`LiteRT was not set up: ${error instanceof Error ? error.message : error}. ${otherWays}`);
  if (!process.argv.includes('--optional')) process.exitCode = 1;
}
