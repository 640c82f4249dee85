import { randomBytes } from 'node:crypto';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { Handlers } from '../contract/api.ts';
import { WhittleError } from '../contract/errors.ts';
import type { ArtifactView } from '../contract/views.ts';
import { copyFileAside, exists, writeFileAside, writeFileChecked } from './safe-files.ts';
import type { StudioContext } from './studio-context.ts';

type ArtifactHandlers = Pick<
  Handlers,
  | 'artifact.detail'
  | 'artifact.targets'
  | 'artifact.remove'
  | 'artifact.restore'
  | 'artifact.export'
  | 'artifact.download'
>;

/** Results: looking into them, removing them (and taking that back), and giving them out. */
export function artifactHandlers(context: StudioContext): ArtifactHandlers {
  const { store } = context;

  /** An artifact whose files are there. @throws WhittleError when they are not, or may not leave the studio. */
  const givenOut = async (projectId: string, artifactId: string): Promise<ArtifactView> => {
    const { artifact } = await store.artifact(projectId, artifactId);
    if (artifact.status === 'failed') {
      const gates = artifact.gates.filter((gate) => !gate.ok).map((gate) => gate.detail);
      throw new WhittleError('gate.failed', `${artifactId} did not pass its checks and is not given out.`, {
        hint: artifact.error?.message ?? gates.join(' '),
      });
    }
    const paths = pathsOf(artifact);
    if (artifact.path !== '' && (await Promise.all(paths.map(exists))).every(Boolean)) return artifact;
    throw new WhittleError('file.not-found', `The file of ${artifactId} is not there any more.`, {
      hint: 'Run this precision again.',
    });
  };

  return {
    async 'artifact.detail'({ projectId, artifactId }) {
      await store.artifact(projectId, artifactId);
      const detail = await store.detail(projectId, artifactId);
      return detail ?? { artifactId, operators: [], changed: [] };
    },
    async 'artifact.targets'({ projectId, artifactId }, { signal }) {
      const { artifact } = await store.artifact(projectId, artifactId);
      if (artifact.path === '' || !(await exists(artifact.path))) {
        throw new WhittleError('file.not-found', `${artifactId} has no file to look into.`, {
          hint: 'Run this precision again.',
        });
      }
      return context.runner.run('targets', { path: artifact.path }, { signal });
    },
    async 'artifact.remove'({ projectId, artifactId }) {
      await store.setRemoved(projectId, artifactId, true);
      return {};
    },
    'artifact.restore': ({ projectId, artifactId }) => store.setRemoved(projectId, artifactId, false),
    async 'artifact.export'({ projectId, artifactId, path, overwrite }) {
      if (context.shell === 'web') {
        throw new WhittleError('usage', 'Files are downloaded here; they are not written to a path.');
      }
      if (!isAbsolute(path)) throw new WhittleError('usage', `${path} is not an absolute path.`);
      await copyArtifact(await givenOut(projectId, artifactId), path, overwrite);
      return { path };
    },
    async 'artifact.download'({ projectId, artifactId }) {
      if (context.downloads === undefined) {
        throw new WhittleError('usage', 'There is no host here to download from; export the file instead.');
      }
      const { downloads } = context;
      const offer = async (path: string): Promise<{ url: string; fileName: string }> => {
        const ticket = randomBytes(18).toString('base64url');
        const fileName = basename(path);
        await writeFileAside(join(downloads, `${ticket}.json`), JSON.stringify({ path, fileName }));
        return { url: `/download/${ticket}`, fileName };
      };
      const [file, data] = await Promise.all(pathsOf(await givenOut(projectId, artifactId)).map(offer));
      return { ...file, data };
    },
  };
}

/** The file, and the one beside it where there is one. */
function pathsOf({ path, data }: ArtifactView): string[] {
  return data ? [path, join(dirname(path), data.fileName)] : [path];
}

/** Copies an artifact's files to where the user wants them. A model names its data file, which is named after it. */
async function copyArtifact(artifact: ArtifactView, to: string, overwrite: boolean): Promise<void> {
  const [from, dataFrom] = pathsOf(artifact);
  if (dataFrom === undefined) return copyFileAside(from, to, { overwrite });
  const [{ renameExternalData }, { dataPathOf }] = await Promise.all([
    import('../formats/onnx/external-data.ts'),
    import('../formats/onnx/external-weights.ts'),
  ]);
  const copy = async (aside: string): Promise<void> => {
    const dataPath = dataPathOf(aside);
    await copyFile(dataFrom, dataPath);
    const model = await readFile(from);
    await writeFile(aside, renameExternalData(model, basename(dataPath)));
  };
  await writeFileChecked(to, copy, async () => {}, { overwrite });
}
