import { randomBytes } from 'node:crypto';
import { basename, isAbsolute, join } from 'node:path';
import type { Handlers } from '../contract/api.ts';
import { WhittleError } from '../contract/errors.ts';
import { copyFileAside, exists, writeFileAside } from './safe-files.ts';
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

  /** @throws WhittleError when there is no file, or none that may leave the studio. */
  const fileOf = async (projectId: string, artifactId: string): Promise<string> => {
    const { artifact } = await store.artifact(projectId, artifactId);
    if (artifact.status === 'failed') {
      const gates = artifact.gates.filter((gate) => !gate.ok).map((gate) => gate.detail);
      throw new WhittleError('gate.failed', `${artifactId} did not pass its checks and is not given out.`, {
        hint: artifact.error?.message ?? gates.join(' '),
      });
    }
    if (artifact.path !== '' && (await exists(artifact.path))) return artifact.path;
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
      await copyFileAside(await fileOf(projectId, artifactId), path, { overwrite });
      return { path };
    },
    async 'artifact.download'({ projectId, artifactId }) {
      if (context.downloads === undefined) {
        throw new WhittleError('usage', 'There is no host here to download from; export the file instead.');
      }
      const path = await fileOf(projectId, artifactId);
      const ticket = randomBytes(18).toString('base64url');
      const fileName = basename(path);
      await writeFileAside(join(context.downloads, `${ticket}.json`), JSON.stringify({ path, fileName }));
      return { url: `/download/${ticket}`, fileName };
    },
  };
}
