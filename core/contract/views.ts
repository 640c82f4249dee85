/** What the studio shows and the command line prints. Field names and meanings are those of the CLI's JSON. */

export * from './artifact-views.ts';
export { calibrations, precisions } from './choices.ts';
export * from './model-views.ts';
export * from './profile-views.ts';
export * from './project-views.ts';
export * from './recipe.ts';
