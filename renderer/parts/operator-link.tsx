import { useView } from '../state/view.ts';

const longestName = 44;

/** An operator's name; a click shows it in the graph. Of long names the end is written, where they differ. */
export function OperatorLink({ name }: { name: string }) {
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
      {name.length > longestName ? `…${name.slice(1 - longestName)}` : name}
    </button>
  );
}
