/** Every way in which Whittle refuses or fails. The code is stable; the sentence is made from the facts. */
export const errorCodes = [
  'file.not-found',
  'file.unreadable',
  'file.exists',
  'file.no-space',
  'format.unknown',
  'format.damaged',
  'format.unsupported',
  'model.unsupported-operator',
  'model.unsupported-layer',
  'model.unsupported-option',
  'model.invalid',
  'model.computed-input',
  'model.dynamic-dims',
  'model.already-quantized',
  'model.external-data',
  'data.missing',
  'data.mismatch',
  'data.unreadable',
  'recipe.invalid',
  'precision.unsupported',
  'runtime.failed',
  'runtime.missing',
  'gate.failed',
  'job.cancelled',
  'job.crashed',
  'usage',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** One finding about one named thing (a layer, an operator, an input). */
export interface Issue {
  code: ErrorCode | string;
  severity: 'error' | 'warning' | 'info';
  message: string;
  /** Name of the layer, operator or tensor at fault, as the source file calls it. */
  node?: string;
  /** Operator or layer type at fault. */
  op?: string;
  hint?: string;
}

/** The one error class: what failed, on which named thing, the value, what is allowed, and what to do next. */
export class WhittleError extends Error {
  readonly code: ErrorCode;
  readonly hint?: string;
  readonly issues: Issue[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; issues?: Issue[]; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'WhittleError';
    this.code = code;
    this.hint = options.hint;
    this.issues = options.issues ?? [];
  }

  /** The form that crosses a process border and that `--json` prints. */
  toJSON(): { code: ErrorCode; message: string; hint?: string; issues: Issue[] } {
    return { code: this.code, message: this.message, hint: this.hint, issues: this.issues };
  }
}

/** One error for all that was found: the sentence `what`, then every issue's, with the code of the first known one. */
export function errorOfIssues(what: string, issues: readonly Issue[]): WhittleError {
  const known = issues.find((issue) => (errorCodes as readonly string[]).includes(issue.code));
  const code = (known?.code as ErrorCode | undefined) ?? 'model.invalid';
  const list = issues.map((issue) => issue.message.replace(/[.;]?$/, '.'));
  const hints = new Set(issues.flatMap((issue) => issue.hint ?? []));
  return new WhittleError(code, [what, ...list].join(' '), {
    issues: [...issues],
    hint: hints.size > 0 ? [...hints].join(' ') : undefined,
  });
}
