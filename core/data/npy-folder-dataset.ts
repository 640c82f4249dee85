import { WhittleError } from '../contract/errors.ts';
import { openNpyFile } from './array-source.ts';
import { canConvert, convertTensor } from './convert.ts';
import type { OpenedDataset } from './dataset.ts';
import { type FolderListing, labelFiles } from './folder.ts';
import { describeType, fedShape, type InputSpec, mismatch, mismatchIssue } from './sample-spec.ts';

/**
 * One .npy per sample. The first file is checked at once, each other one when its turn comes.
 * @throws WhittleError `data.mismatch` naming the file, both sides stated.
 */
export async function openNpyFolderDataset(
  path: string,
  listing: FolderListing,
  inputs: readonly InputSpec[],
): Promise<OpenedDataset> {
  const [input] = inputs;
  if (inputs.length !== 1) {
    const names = inputs.map((each) => each.name).join(', ');
    const message = `A folder of .npy feeds one input; the model has ${inputs.length}: ${names}.`;
    throw mismatch(path, [mismatchIssue(message, undefined, 'Give one .npz with an array per input.')]);
  }
  const read = async (index: number) => {
    const file = listing.files[index];
    const source = await openNpyFile(file.path, file.name);
    try {
      const wanted = describeType(input.dtype, input.shape);
      const found = describeType(source.dtype, source.shape);
      if (!fedShape(source.shape, input.shape) || !canConvert(source.dtype, input.dtype)) {
        const message = `Input ${input.name} is ${wanted}; ${file.name} is ${found}.`;
        throw mismatch(path, [mismatchIssue(message, input.name, 'Each file of the folder is one sample.')]);
      }
      const tensor = { dtype: source.dtype, shape: input.shape, bytes: await source.all() };
      const converted = convertTensor(tensor, input.dtype);
      if (typeof converted !== 'string') return { [input.name]: converted };
      throw new WhittleError('data.mismatch', `${file.path} cannot be fed to ${input.name}: ${converted}.`);
    } finally {
      await source.close();
    }
  };
  await read(0);
  return {
    path,
    kind: 'npy-folder',
    count: listing.files.length,
    ...labelFiles(listing),
    issues: [],
    sample: read,
    close: async () => {},
  };
}
