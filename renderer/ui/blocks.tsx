import { ChevronDown, ChevronRight, CircleAlert, Info, TriangleAlert, X } from 'lucide-react';
import type { ButtonHTMLAttributes, ReactNode } from 'react';
import type { ErrorView, IssueView } from '../../core/contract/views.ts';
import { dash } from './format.ts';
import './blocks.css';

/** Joins class names, leaving out what is false. */
export function classes(...names: (string | false | undefined)[]): string {
  return names.filter(Boolean).join(' ');
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: 'primary' | 'quiet';
  small?: boolean;
  icon?: ReactNode;
  /** Why the button cannot be pressed; disables it and says so on hover. */
  blocked?: string;
}

/** A button. Without children it is an icon button and needs `aria-label`. */
export function Button({ variant, small, icon, blocked, children, className, ...rest }: ButtonProps) {
  const isIcon = children === undefined;
  return (
    <button
      type="button"
      {...rest}
      className={classes(
        'btn',
        variant && `btn-${variant}`,
        small && 'btn-small',
        isIcon && 'btn-icon',
        className,
      )}
      disabled={rest.disabled || blocked !== undefined}
      title={blocked ?? rest.title ?? (isIcon ? rest['aria-label'] : undefined)}
    >
      {icon}
      {children}
    </button>
  );
}

/** A figure that may be missing; the reason is then on hover and read out. */
export function Figure({ value, missing, est }: { value?: string; missing: string; est?: boolean }) {
  if (value === undefined || value === dash) {
    return (
      <span className="figure-missing" title={missing}>
        {dash}
        <span className="sr-only"> ({missing})</span>
      </span>
    );
  }
  return est ? <em className="figure-est num">{value} est.</em> : <span className="num">{value}</span>;
}

export function Chip({
  tone,
  children,
  title,
}: {
  tone?: 'ok' | 'warning' | 'danger' | 'off';
  children: ReactNode;
  title?: string;
}) {
  return (
    <span className={classes('chip', tone && `chip-${tone}`)} title={title}>
      {children}
    </span>
  );
}

export interface Option<T extends string> {
  value: T;
  label: string;
  /** Why it cannot be picked. */
  blocked?: string;
}

/** One of a few, all visible: a radio group that looks like a switch. */
export function Segmented<T extends string>(props: {
  label: string;
  name: string;
  value: T;
  options: readonly Option<T>[];
  onChange: (value: T) => void;
  disabled?: boolean;
}) {
  return (
    <fieldset className="segmented" aria-label={props.label} disabled={props.disabled}>
      {props.options.map(({ value, label, blocked }) => (
        <label
          key={value}
          className={classes(value === props.value && 'on', blocked !== undefined && 'off')}
          title={blocked}
        >
          <input
            type="radio"
            name={props.name}
            value={value}
            checked={value === props.value}
            disabled={blocked !== undefined}
            onChange={() => props.onChange(value)}
          />
          {label}
        </label>
      ))}
    </fieldset>
  );
}

/** A labelled control; `id` is that of the control where it has one. */
export function Field(props: {
  label: string;
  hint?: string;
  children: ReactNode;
  id?: string;
  /** The label beside the control instead of above it. */
  inline?: boolean;
}) {
  const { label, hint, children, id, inline } = props;
  return (
    <div className={classes('field', inline && 'field-inline')}>
      {id ? (
        <label className="field-label" htmlFor={id}>
          {label}
        </label>
      ) : (
        <span className="field-label">{label}</span>
      )}
      {children}
      {hint && <span className="field-hint">{hint}</span>}
    </div>
  );
}

export function Check(props: {
  checked: boolean;
  onChange: (checked: boolean) => void;
  children: ReactNode;
  disabled?: boolean;
}) {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={props.checked}
        disabled={props.disabled}
        onChange={(event) => props.onChange(event.target.checked)}
      />
      <span>{props.children}</span>
    </label>
  );
}

/** Opens and closes what stands below a row of a table; its children name the row. */
export function RowToggle(props: { isOpen: boolean; onToggle: () => void; children: ReactNode }) {
  const { isOpen, onToggle, children } = props;
  const Icon = isOpen ? ChevronDown : ChevronRight;
  return (
    <button type="button" className="row-toggle" aria-expanded={isOpen} onClick={onToggle}>
      <Icon size={13} aria-hidden />
      {children}
    </button>
  );
}

/** A part of a screen with nothing in it yet: says what would be here and offers the step that brings it. */
export function Hollow({
  title,
  children,
  action,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="hollow">
      <strong>{title}</strong>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

const severityIcon = { error: CircleAlert, warning: TriangleAlert, info: Info };

/** One finding: severity, what, on which layer, what to do. */
export function IssueLine({ issue }: { issue: IssueView }) {
  const Icon = severityIcon[issue.severity];
  // Many messages name the layer themselves.
  const named = issue.node !== undefined && issue.message.includes(issue.node);
  return (
    <li className={`issue issue-${issue.severity}`}>
      <Icon size={14} aria-label={issue.severity} />
      <div>
        <p>
          {!named && issue.node && <code>{issue.node}</code>}
          {!named && issue.op && <span className="muted"> {issue.op}</span>}
          {!named && (issue.node || issue.op) && ': '}
          {issue.message}
        </p>
        {issue.hint && <p className="muted">{issue.hint}</p>}
      </div>
    </li>
  );
}

/** A failure in sentences: what was being done, what went wrong, what to do next. */
export function ErrorPanel({
  title,
  error,
  onDismiss,
}: {
  title?: string;
  error: ErrorView;
  onDismiss?: () => void;
}) {
  return (
    <div className="error-panel" role="alert">
      <CircleAlert size={16} aria-hidden />
      <div>
        <p className="error-what">
          {title && `${title}: `}
          {error.message}
        </p>
        {error.hint && <p>{error.hint}</p>}
        {error.issues.length > 0 && (
          <ul className="error-issues">
            {error.issues.map((issue) => (
              <IssueLine key={`${issue.code}${issue.node}${issue.message}`} issue={issue} />
            ))}
          </ul>
        )}
      </div>
      {onDismiss ? (
        <Button variant="quiet" small icon={<X size={14} />} aria-label="Dismiss" onClick={onDismiss} />
      ) : (
        <span />
      )}
    </div>
  );
}

export function ProgressBar({ fraction, label }: { fraction: number | null; label: string }) {
  return (
    <div
      className={classes('progress', fraction === null && 'progress-unknown')}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={fraction === null ? undefined : Math.round(fraction * 100)}
    >
      <div style={fraction === null ? undefined : { width: `${fraction * 100}%` }} />
    </div>
  );
}

export interface BarItem {
  key: string;
  label: string;
  value: number;
  text: string;
}

/** Small horizontal bars from zero, longest first as given, each with its label and figure. */
export function BarList({ items, label }: { items: readonly BarItem[]; label: string }) {
  const largest = Math.max(...items.map(({ value }) => value), 0);
  return (
    <ul className="bar-list" aria-label={label}>
      {items.map(({ key, label: name, value, text }) => (
        <li key={key} className="bar-row">
          <span className="truncate" title={name}>
            {name}
          </span>
          <span className="bar-track" aria-hidden>
            <span
              className="bar-fill"
              style={{ display: 'block', width: `${largest > 0 ? (value / largest) * 100 : 0}%` }}
            />
          </span>
          <span className="num">{text}</span>
        </li>
      ))}
    </ul>
  );
}
