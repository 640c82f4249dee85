import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { WhittleError } from '../contract/errors.ts';
import {
  ArtifactDetail,
  ArtifactView,
  DatasetView,
  ModelView,
  ProfileView,
  ProgressView,
  type ProjectSummary,
  type ProjectView,
  Recipe,
  ReferenceView,
} from '../contract/views.ts';
import { readJson, writeFileAside } from './safe-files.ts';

/** `project.json`: everything about a project but its artifacts. */
export const ProjectRecord = z.object({
  schema: z.literal('whittle.project/1'),
  id: z.string(),
  name: z.string(),
  openedAt: z.string(),
  /** Where the model lies: outside, or in the project's own `source` folder after an upload. */
  modelPath: z.string(),
  model: ModelView,
  /** How pictures are prepared stands in the recipe. */
  data: z.object({ paths: z.array(z.string()), view: DatasetView }).optional(),
  recipe: Recipe,
  reference: ReferenceView.optional(),
});
export type ProjectRecord = z.infer<typeof ProjectRecord>;

/**
 * `artifacts/ID/artifact.json`. A removed one keeps its files until the core starts again. What was measured inside
 * the file is large and seldom asked for: it stands in `detail.json` beside it.
 */
const ArtifactRecord = z.object({
  removed: z.boolean().default(false),
  artifact: ArtifactView,
});
type ArtifactRecord = z.infer<typeof ArtifactRecord>;

const detailFile = 'detail.json';
const idPattern = /^[a-zA-Z0-9_-]{1,80}$/;

/**
 * Projects as folders of plain files below `HOME/projects`. Every file is written aside and renamed, so that a crash at
 * any moment leaves the state before or after, never between.
 */
export class ProjectStore {
  private readonly root: string;

  constructor(home: string) {
    this.root = join(home, 'projects');
  }

  /** @throws WhittleError `file.not-found`; also for an id that could reach outside the root. */
  folder(projectId: string): string {
    if (!idPattern.test(projectId)) throw unknownProject(projectId);
    return join(this.root, projectId);
  }

  /** A new project's id and its empty folder. */
  async allot(): Promise<string> {
    const id = `${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
    await mkdir(this.folder(id), { recursive: true });
    return id;
  }

  async save(record: ProjectRecord): Promise<void> {
    await writeFileAside(join(this.folder(record.id), 'project.json'), toText(record));
  }

  /** @throws WhittleError `file.not-found` when there is none, or none that can be read. */
  async load(projectId: string): Promise<ProjectRecord> {
    const parsed = ProjectRecord.safeParse(await readJson(join(this.folder(projectId), 'project.json')));
    if (!parsed.success) throw unknownProject(projectId);
    return parsed.data;
  }

  /** The project as clients see it. */
  async view(projectId: string): Promise<ProjectView> {
    const record = await this.load(projectId);
    const { id, name, model, recipe, reference } = record;
    return {
      id,
      name,
      model,
      data: record.data?.view,
      recipe,
      reference,
      artifacts: await this.artifacts(id),
    };
  }

  /** Newest first. Folders that hold no project are passed over. */
  async list(): Promise<ProjectSummary[]> {
    const summaries: ProjectSummary[] = [];
    for (const id of await this.ids()) {
      const record = await this.load(id).catch(() => undefined);
      if (!record) continue;
      summaries.push({
        id,
        name: record.name,
        format: record.model.source.format,
        sizeBytes: record.model.source.sizeBytes,
        openedAt: record.openedAt,
        artifacts: (await this.artifacts(id)).length,
      });
    }
    return summaries.sort((a, b) => (a.openedAt < b.openedAt ? 1 : -1));
  }

  async remove(projectId: string): Promise<void> {
    await this.load(projectId);
    // A job that is just being cancelled may still write into it.
    await rm(this.folder(projectId), { recursive: true, force: true, maxRetries: 5 });
  }

  async ids(): Promise<string[]> {
    const entries = await readdir(this.root, { withFileTypes: true }).catch(() => []);
    return entries
      .filter((entry) => entry.isDirectory() && idPattern.test(entry.name))
      .map((entry) => entry.name);
  }

  // ── artifacts ───────────────────────────────────────────────────────────────────────────────────────────────────

  async artifacts(projectId: string): Promise<ArtifactView[]> {
    const records = await this.artifactRecords(projectId);
    return records.filter((record) => !record.removed).map((record) => record.artifact);
  }

  /** @throws WhittleError `file.not-found`. */
  async artifact(projectId: string, artifactId: string): Promise<ArtifactRecord> {
    const parsed = ArtifactRecord.safeParse(await readJson(this.artifactFile(projectId, artifactId)));
    if (parsed.success) return parsed.data;
    throw new WhittleError('file.not-found', `There is no result ${artifactId} in this project.`);
  }

  /** Takes a finished file into the project, in place of an earlier one of the same id, and tells where it lies now. */
  async adopt(
    projectId: string,
    artifact: ArtifactView,
    detail: ArtifactDetail | undefined,
  ): Promise<ArtifactView> {
    const folder = this.artifactFolder(projectId, artifact.id);
    await rm(folder, { recursive: true, force: true });
    if (artifact.precision === 'auto') await this.removeFurther(projectId, artifact.id);
    await mkdir(folder, { recursive: true });
    let kept = artifact;
    if (artifact.path !== '') {
      const path = join(folder, basename(artifact.path));
      const { data } = artifact;
      if (data) await rename(join(dirname(artifact.path), data.fileName), join(folder, data.fileName));
      await rename(artifact.path, path);
      kept = { ...artifact, path };
    }
    if (detail) await writeFileAside(join(folder, detailFile), JSON.stringify(detail));
    await this.saveArtifact(projectId, { removed: false, artifact: kept });
    return kept;
  }

  /** What was measured inside an artifact's file; undefined where nothing was. */
  async detail(projectId: string, artifactId: string): Promise<ArtifactDetail | undefined> {
    return ArtifactDetail.safeParse(
      await readJson(join(this.artifactFolder(projectId, artifactId), detailFile)),
    ).data;
  }

  /** Removes the further points of an earlier search, which the new one may not have. */
  private async removeFurther(projectId: string, best: string): Promise<void> {
    const root = join(this.folder(projectId), 'artifacts');
    for (const name of await readdir(root).catch(() => [] as string[])) {
      if (name.startsWith(`${best}-`) && /^\d{1,2}$/.test(name.slice(best.length + 1)))
        await rm(join(root, name), { recursive: true, force: true });
    }
  }

  async setRemoved(projectId: string, artifactId: string, removed: boolean): Promise<ArtifactView> {
    const record = await this.artifact(projectId, artifactId);
    await this.saveArtifact(projectId, { ...record, removed });
    return record.artifact;
  }

  private async artifactRecords(projectId: string): Promise<ArtifactRecord[]> {
    const folder = join(this.folder(projectId), 'artifacts');
    const names = await readdir(folder).catch(() => [] as string[]);
    const records = await Promise.all(
      names
        .filter((name) => idPattern.test(name))
        .map((name) => this.artifact(projectId, name).catch(() => undefined)),
    );
    return records.filter((record) => record !== undefined);
  }

  private async saveArtifact(projectId: string, record: ArtifactRecord): Promise<void> {
    await writeFileAside(this.artifactFile(projectId, record.artifact.id), toText(record));
  }

  private artifactFolder(projectId: string, artifactId: string): string {
    if (!idPattern.test(artifactId))
      throw new WhittleError('file.not-found', `There is no result ${artifactId}.`);
    return join(this.folder(projectId), 'artifacts', artifactId);
  }

  private artifactFile(projectId: string, artifactId: string): string {
    return join(this.artifactFolder(projectId, artifactId), 'artifact.json');
  }

  // ── profiles ────────────────────────────────────────────────────────────────────────────────────────────────────

  async profiles(projectId: string): Promise<ProfileView[]> {
    const parsed = z.array(ProfileView).safeParse(await readJson(this.profileFile(projectId)));
    return parsed.success ? parsed.data : [];
  }

  async addProfile(projectId: string, profile: ProfileView): Promise<void> {
    const kept = (await this.profiles(projectId)).filter(
      (other) => profileKey(other) !== profileKey(profile),
    );
    await writeFileAside(this.profileFile(projectId), toText([...kept, profile]));
  }

  private profileFile(projectId: string): string {
    return join(this.folder(projectId), 'profiles.json');
  }

  // ── journal ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The folder in which a job writes before its results are adopted. */
  workFolder(projectId: string, jobId: string): string {
    return join(this.folder(projectId), 'work', safeName(jobId));
  }

  /** Writes down that a job is under way, before it is. */
  async beginJob(view: ProgressView): Promise<void> {
    await writeFileAside(this.journalFile(view), toText(view));
  }

  /** Strikes a job from the journal and removes what it left in its work folder. */
  async endJob(view: Pick<ProgressView, 'projectId' | 'jobId'>): Promise<void> {
    await rm(this.workFolder(view.projectId, view.jobId), { recursive: true, force: true });
    await rm(this.journalFile(view), { force: true });
  }

  /**
   * Brings the projects of a core that ended in the middle of something back into order: half-made work and removed
   * artifacts are deleted. @returns the jobs that were under way.
   */
  async recover(): Promise<ProgressView[]> {
    const lost: ProgressView[] = [];
    for (const id of await this.ids()) {
      const folder = this.folder(id);
      for (const name of await readdir(join(folder, 'journal')).catch(() => [] as string[])) {
        const parsed = ProgressView.safeParse(await readJson(join(folder, 'journal', name)));
        if (parsed.success) lost.push(parsed.data);
        await rm(join(folder, 'journal', name), { force: true });
      }
      await rm(join(folder, 'work'), { recursive: true, force: true });
      for (const record of await this.artifactRecords(id)) {
        if (record.removed)
          await rm(this.artifactFolder(id, record.artifact.id), { recursive: true, force: true });
      }
    }
    return lost;
  }

  private journalFile(view: Pick<ProgressView, 'projectId' | 'jobId'>): string {
    return join(this.folder(view.projectId), 'journal', `${safeName(view.jobId)}.json`);
  }
}

function safeName(jobId: string): string {
  return jobId.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 80);
}

function profileKey(profile: ProfileView): string {
  return JSON.stringify([profile.path, profile.engine, profile.device, profile.threads]);
}

function toText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function unknownProject(projectId: string): WhittleError {
  return new WhittleError('file.not-found', `There is no project ${projectId}.`, {
    hint: 'It may have been removed; open the model again.',
  });
}
