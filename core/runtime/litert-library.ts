import { existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A LiteRT shared library on this machine and the folder that its GPU accelerator would lie in. */
export interface LiteRtLibrary {
  readonly path: string;
  readonly folder: string;
  readonly version: string | undefined;
  readonly from: 'application' | 'WHITTLE_LITERT' | 'setup:litert' | 'python';
}

const fileName =
  { win32: 'libLiteRt.dll', darwin: 'libLiteRt.dylib' }[process.platform as string] ?? 'libLiteRt.so';
const accelerators = /^(lib)?LiteRt(WebGpu|Metal)Accelerator\./;

let found: LiteRtLibrary | undefined;
let searched = false;

/**
 * Looks for LiteRT: beside the packaged application's resources, where `WHITTLE_LITERT` points (a file or a folder),
 * in the project's `.vendor/litert`, in an installed Python package `ai_edge_litert`. Python is not started. The answer
 * is kept for the life of the process.
 */
export function findLiteRt(): LiteRtLibrary | undefined {
  if (!searched) {
    searched = true;
    found = search();
  }
  return found;
}

/** Whether a GPU accelerator lies beside the library. */
export function hasAccelerator(library: LiteRtLibrary): boolean {
  return readdirSync(library.folder).some((name) => accelerators.test(name));
}

function search(): LiteRtLibrary | undefined {
  const resources = (process as { resourcesPath?: string }).resourcesPath;
  return (
    (resources && inFolder(join(resources, 'litert'), 'application')) ||
    (process.env.WHITTLE_LITERT && atEnvironment(process.env.WHITTLE_LITERT)) ||
    vendored() ||
    inPython() ||
    undefined
  );
}

function atEnvironment(place: string): LiteRtLibrary | undefined {
  if (/\.(so|dll|dylib)$/.test(place) && existsSync(place)) {
    return {
      path: place,
      folder: dirname(place),
      version: versionBeside(dirname(place)),
      from: 'WHITTLE_LITERT',
    };
  }
  return inFolder(place, 'WHITTLE_LITERT');
}

/** `.vendor/litert` in this file's folder or above it: found from the sources and from a bundle alike. */
function vendored(): LiteRtLibrary | undefined {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const library = inFolder(join(folder, '.vendor', 'litert'), 'setup:litert');
    if (library) return library;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

function inPython(): LiteRtLibrary | undefined {
  for (const site of sitePackages()) {
    const library = inFolder(join(site, 'ai_edge_litert'), 'python');
    if (library) return library;
  }
  return undefined;
}

/** The `site-packages` folders that belong to the Pythons on PATH, to an active environment, and to the user. */
function sitePackages(): string[] {
  const prefixes = [process.env.VIRTUAL_ENV, process.env.CONDA_PREFIX];
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (!folder) continue;
    // A pyenv shim says nothing about where the interpreter lives; its versions stand beside the shims.
    if (folder.endsWith(join('.pyenv', 'shims'))) {
      const versions = join(dirname(folder), 'versions');
      prefixes.push(...entries(versions).map((version) => join(versions, version)));
    } else if (existsSync(join(folder, 'python.exe'))) prefixes.push(folder);
    else if (existsSync(join(folder, 'python3'))) prefixes.push(dirname(folder));
  }
  const home = process.env.HOME;
  if (home) prefixes.push(join(home, '.local'));
  const sites: string[] = [];
  for (const prefix of new Set(prefixes)) {
    if (!prefix) continue;
    sites.push(join(prefix, 'Lib', 'site-packages'));
    const lib = join(prefix, 'lib');
    for (const entry of entries(lib)) {
      if (/^python3(\.\d+)?$/.test(entry))
        sites.push(join(lib, entry, 'site-packages'), join(lib, entry, 'dist-packages'));
    }
  }
  return sites;
}

function inFolder(folder: string, from: LiteRtLibrary['from']): LiteRtLibrary | undefined {
  const path = join(folder, fileName);
  return existsSync(path) ? { path, folder, version: versionBeside(folder), from } : undefined;
}

/** The version as the wheel's metadata folder beside the package, or beside the library, has it in its name. */
function versionBeside(folder: string): string | undefined {
  for (const place of [folder, dirname(folder)]) {
    for (const entry of entries(place)) {
      const match = /^ai_edge_litert-([\w.]+)\.dist-info$/.exec(entry);
      if (match) return match[1];
    }
  }
  return undefined;
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
