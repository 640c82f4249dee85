import type { FixedValues, ModelView, PortView } from '../../../core/contract/views.ts';

/** Inputs with more elements are data, not settings. */
const mostElements = 16;

/** Inputs that hold a setting, such as a sample rate: few elements, beside an input that holds data. */
export function settingInputs({ source: { inputs, fixed = [] } }: Pick<ModelView, 'source'>): PortView[] {
  const isSetting = ({ shape }: PortView) =>
    shape.reduce<number>((count, dim) => count * (typeof dim === 'number' ? dim : Infinity), 1) <=
    mostElements;
  const settings = [...fixed, ...inputs.filter(isSetting)];
  return settings.length < fixed.length + inputs.length ? settings : fixed;
}

/** What a field shows of a value. */
export function valueText(value: number | readonly number[] | undefined): string {
  return value === undefined ? '' : String(value).replaceAll(',', ', ');
}

/** A number, or several between commas or spaces; undefined for anything else. */
export function parseValue(text: string): number | number[] | undefined {
  const parts = text.trim().split(/\s*,\s*|\s+/);
  const numbers = parts.map((part) => (part === 'true' ? 1 : part === 'false' ? 0 : Number(part)));
  if (parts.includes('') || numbers.some((number) => !Number.isFinite(number))) return undefined;
  return numbers.length === 1 ? numbers[0] : numbers;
}

/** The values of all fields that are filled in, or undefined while one is no number. */
export function fixedValues(typed: Readonly<Record<string, string>>): FixedValues | undefined {
  const fixed: FixedValues = {};
  for (const [name, text] of Object.entries(typed)) {
    if (text.trim() === '') continue;
    const value = parseValue(text);
    if (value === undefined) return undefined;
    fixed[name] = value;
  }
  return fixed;
}
