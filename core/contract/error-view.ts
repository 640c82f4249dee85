import { type ErrorCode, errorCodes, WhittleError } from './errors.ts';
import type { ErrorView } from './views.ts';

/** Any thrown thing in the form that crosses borders. What is not a `WhittleError` is `internal`. */
export function toErrorView(error: unknown): ErrorView {
  if (error instanceof WhittleError) return error.toJSON();
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && error.name === 'AbortError' ? 'job.cancelled' : 'internal';
  return { code, message: code === 'job.cancelled' ? 'Cancelled.' : message, issues: [] };
}

/** The error that a view stands for, on this side of the border. */
export function fromErrorView(view: ErrorView): WhittleError {
  const code = (errorCodes as readonly string[]).includes(view.code) ? (view.code as ErrorCode) : 'internal';
  return new WhittleError(code, view.message, { hint: view.hint, issues: view.issues });
}
