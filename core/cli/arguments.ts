import { InvalidArgumentError } from 'commander';
import type { FixedValues } from '../contract/views.ts';

/** Parses `NAME=1x224x224x3` (the last `=` counts: names may have one) and adds it to those before. */
export function shapeOption(text: string, before: Record<string, number[]> = {}): Record<string, number[]> {
  const at = text.lastIndexOf('=');
  const name = text.slice(0, at);
  const dims = text
    .slice(at + 1)
    .split(/[x,]/)
    .map(Number);
  if (at < 1 || dims.some((dim) => !Number.isInteger(dim) || dim < 1)) {
    throw new InvalidArgumentError(`"${text}" is not NAME=1x224x224x3.`);
  }
  return { ...before, [name]: dims };
}

/** Parses `NAME=16000` or `NAME=1,0,2` and adds it to those before. */
export function fixedOption(text: string, before: FixedValues = {}): FixedValues {
  const at = text.lastIndexOf('=');
  const name = text.slice(0, at);
  const parts = text
    .slice(at + 1)
    .split(',')
    .map((part) => part.trim());
  const values = parts.map((part) => (part === 'true' ? 1 : part === 'false' ? 0 : Number(part)));
  if (at < 1 || parts.includes('') || values.some((value) => !Number.isFinite(value))) {
    throw new InvalidArgumentError(`"${text}" is not NAME=16000 or NAME=1,0,2.`);
  }
  return { ...before, [name]: values.length === 1 ? values[0] : values };
}

/** Parses a comma-separated list of known words. */
export function listOption<T extends string>(allowed: readonly T[]): (text: string) => T[] {
  return (text) => {
    const words = text.split(',').map((word) => word.trim());
    return [...new Set(words.map((word) => choose(word, allowed)))];
  };
}

export function choiceOption<T extends string>(allowed: readonly T[]): (text: string) => T {
  return (text) => choose(text, allowed);
}

function choose<T extends string>(word: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === word);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`"${word}" is not one of ${allowed.join(', ')}.`);
}

export function countOption(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError(`"${text}" is not a whole number above 0.`);
  return value;
}

export function integerOption(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError(`"${text}" is not a whole number.`);
  return value;
}

export function portOption(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535) {
    throw new InvalidArgumentError(`"${text}" is not a port (0 to 65535).`);
  }
  return value;
}

export function percentOption(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 100)) throw new InvalidArgumentError(`"${text}" is not a percentage.`);
  return value;
}
