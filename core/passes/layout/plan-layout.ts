import type { Pass } from '../pass.ts';
import { applyLayout } from './apply.ts';
import { changesOrders, type LayoutTarget, planLayout } from './plan.ts';

/** Gives the whole graph the target's layout with as little moving as possible (see `planLayout`). */
export function layoutPass(target: LayoutTarget): Pass {
  return {
    id: 'layout',
    run(graph) {
      const plan = planLayout(graph, target);
      if (!changesOrders(plan)) return { graph, report: { changes: 0, notes: [] } };
      return applyLayout(graph, plan, target);
    },
  };
}
