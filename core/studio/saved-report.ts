import { join, resolve } from 'node:path';
import { type ArtifactView, OptimizeReport } from '../contract/views.ts';
import { exists, readJson, writeFileAside } from './safe-files.ts';

const fileName = 'whittle-report.json';

/**
 * Keeps a run's report beside its files, so that `compare` needs to measure nothing. Results of earlier runs from the
 * same source stay in it as long as their files are there.
 */
export async function saveReport(report: OptimizeReport, outDir: string): Promise<void> {
  const before = await loadReport(outDir);
  const fresh = new Set(report.artifacts.map((artifact) => artifact.id));
  const kept: ArtifactView[] = [];
  if (before?.source.sha256 === report.source.sha256) {
    for (const artifact of before.artifacts) {
      if (!fresh.has(artifact.id) && artifact.path !== '' && (await exists(artifact.path)))
        kept.push(artifact);
    }
  }
  const whole = { ...report, artifacts: [...kept, ...report.artifacts] };
  await writeFileAside(join(resolve(outDir), fileName), `${JSON.stringify(whole, null, 2)}\n`);
}

/** @returns undefined when there is none, or none that can be read. */
export async function loadReport(folder: string): Promise<OptimizeReport | undefined> {
  const parsed = OptimizeReport.safeParse(await readJson(join(resolve(folder), fileName)));
  return parsed.success ? parsed.data : undefined;
}
