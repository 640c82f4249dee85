import { Component, type ReactNode } from 'react';
import { Button, ErrorPanel } from '../ui/blocks.tsx';

/** Keeps the frame alive when a stage cannot be drawn or its code cannot be loaded, and says so. */
export class StageBoundary extends Component<{ children: ReactNode }, { failure?: string }> {
  override state: { failure?: string } = {};

  static getDerivedStateFromError(thrown: unknown): { failure: string } {
    return { failure: thrown instanceof Error ? thrown.message : String(thrown) };
  }

  override render(): ReactNode {
    const { failure } = this.state;
    if (failure === undefined) return this.props.children;
    return (
      <div className="page">
        <ErrorPanel
          title="This stage cannot be shown"
          error={{
            code: 'internal',
            message: failure,
            hint: 'Reload the studio. Your project and its results are kept by the core.',
            issues: [],
          }}
        />
        <Button onClick={() => location.reload()}>Reload the studio</Button>
      </div>
    );
  }
}
