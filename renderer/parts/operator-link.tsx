import { useView } from '../state/view.ts';

/** An operator's name; a click shows it in the graph. */
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
      {name}
    </button>
  );
}
