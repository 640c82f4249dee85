import { useEffect, useState } from 'react';

/** A number as typed: what cannot be read is marked and not sent; empty is undefined. */
export function NumberInput(props: {
  id: string;
  value: number | undefined;
  min: number;
  fractional?: boolean;
  onChange: (value: number | undefined) => void;
}) {
  const { id, value, min, fractional, onChange } = props;
  const shown = value === undefined ? '' : String(value);
  const [text, setText] = useState(shown);
  // An undo changes the value from outside.
  useEffect(() => setText(shown), [shown]);

  const read = (typed: string): number | undefined => {
    const number = Number(typed);
    return typed.trim() !== '' && number >= min && (fractional || Number.isInteger(number))
      ? number
      : undefined;
  };
  return (
    <input
      id={id}
      className="input num"
      inputMode={fractional ? 'decimal' : 'numeric'}
      value={text}
      aria-invalid={text.trim() !== '' && read(text) === undefined}
      onChange={(event) => {
        setText(event.target.value);
        const number = read(event.target.value);
        if (number !== undefined || event.target.value.trim() === '') onChange(number);
      }}
      onBlur={() => setText(shown)}
    />
  );
}
