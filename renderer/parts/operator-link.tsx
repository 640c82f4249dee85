import { useView } from '../state/view.ts';

const longestName = 44;

/**
 * An operator's name; a click shows it in the graph. Of long names the end is written, where they differ.
 * @param shown the name as a list that shortens all of its names writes it
 */
export function OperatorLink({ name, shown = name }: { name: string; shown?: string }) {
  return (
    <button
      type="button"
      className="link mono"
      title={`Show ${name} in the graph`}
      onClick={() => {
        useView.getState().set({ graphFocus: name });
        useView.getState().goTo('model');
      }}
    >
      {shown.length > longestName ? `…${shown.slice(1 - longestName)}` : shown}
    </button>
  );
}
