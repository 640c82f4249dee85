/** Recharts writes its own colours as inline styles, which no style sheet can override; these take the theme's. */
export const axisLook = {
  tick: { fill: 'var(--text-muted)', fontSize: 11 },
  axisLine: { stroke: 'var(--line-strong)' },
  tickLine: { stroke: 'var(--line-strong)' },
} as const;

export const axisTitleLook = { fill: 'var(--text-muted)', fontSize: 12 } as const;

export const gridColour = 'var(--grid)';
