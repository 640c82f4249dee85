import { useEffect, useMemo } from 'react';
import type { GraphView } from '../../../core/contract/views.ts';
import { byError, byMacs, byParameters, byTarget, byTime, type Colouring } from '../../graph/colour.ts';
import { loadDetail } from '../../state/actions/results.ts';
import { profileKey, useProject } from '../../state/project.ts';
import { artifactName } from '../../theme/precision.ts';

/** The colouring for a choice of the picker; error and time come from what was measured. */
export function useColouring(graph: GraphView | undefined, choice: string): Colouring | undefined {
  const details = useProject((state) => state.details);
  const profiles = useProject((state) => state.profiles);
  const targets = useProject((state) => state.targets);
  const [kind, id] = split(choice);

  useEffect(() => {
    if (kind === 'error') void loadDetail(id);
  }, [kind, id]);

  return useMemo(() => {
    if (!graph) return undefined;
    if (kind === 'parameters') return byParameters(graph);
    if (kind === 'macs') return byMacs(graph);
    if (kind === 'error') return details[id] && byError(graph, details[id]);
    if (kind === 'time') {
      const profile = profiles.find((one) => profileKey(one) === id);
      return profile && byTime(graph, profile);
    }
    if (kind === 'target') {
      const [artifactId, targetId] = split(id);
      const target = targets[artifactId]?.find((one) => one.id === targetId);
      return target && byTarget(graph, target);
    }
    return undefined;
  }, [graph, kind, id, details, profiles, targets]);
}

function split(choice: string): [kind: string, id: string] {
  const at = choice.indexOf(':');
  return at < 0 ? [choice, ''] : [choice.slice(0, at), choice.slice(at + 1)];
}

export function ColourPicker({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const artifacts = useProject((state) => state.project?.artifacts);
  const profiles = useProject((state) => state.profiles);
  const targets = useProject((state) => state.targets);
  const measured = profiles.filter(({ perOp }) => perOp !== undefined);
  const nameOf = (artifactId: string | undefined): string => {
    const artifact = artifacts?.find(({ id }) => id === artifactId);
    return artifact ? artifactName(artifact) : 'source';
  };
  return (
    <label className="check" style={{ alignItems: 'center' }}>
      <span className="muted small" style={{ whiteSpace: 'nowrap' }}>
        Colour by
      </span>
      <select
        className="input"
        style={{ width: 160 }}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        <option value="type">type</option>
        <option value="parameters">size</option>
        <option value="macs">multiply-adds</option>
        {artifacts
          ?.filter(({ error }) => !error)
          .map((artifact) => (
            <option key={artifact.id} value={`error:${artifact.id}`}>
              error of {artifactName(artifact)}
            </option>
          ))}
        {measured.map((profile) => (
          <option key={profileKey(profile)} value={`time:${profileKey(profile)}`}>
            time of {nameOf(profile.artifactId)} ({profile.engine})
          </option>
        ))}
        {Object.entries(targets).map(([artifactId, views]) => (
          <optgroup key={artifactId} label={`taken of ${nameOf(artifactId)} by`}>
            {views
              .filter(({ parts }) => parts !== undefined)
              .map(({ id, name }) => (
                <option key={id} value={`target:${artifactId}:${id}`}>
                  {name}
                </option>
              ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}
