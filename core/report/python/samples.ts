import type { Preprocess, Recipe, SourceView } from '../../contract/views.ts';
import { pyList, pyTuple } from './literals.ts';

/** Python that names the model's inputs and reads samples for them: arrays, or pictures where an input can hold one. */
export function samplesSection(recipe: Recipe, source: SourceView): string {
  const images = source.inputs.length === 1 && holdsPicture(source.inputs[0].shape);
  return `${inputsSection(source)}
SAMPLES = ${recipe.samples}
SEED = ${recipe.seed}


def read_arrays(path):
    """One array per input by name; the first axis is the sample."""
    path = Path(path)
    if path.suffix == ".npz":
        arrays = np.load(path)
        if len(INPUTS) == 1 and INPUTS[0][0] not in arrays:
            return {INPUTS[0][0]: arrays["x"]}
        return {name: arrays[name] for name, _, _ in INPUTS}
    if path.suffix == ".npy":
        return {INPUTS[0][0]: np.load(path)}
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        arrays = [file for file in files if file.suffix == ".npy"]
        if arrays:
            return {INPUTS[0][0]: np.stack([np.load(file) for file in arrays])}
${images ? '        return {INPUTS[0][0]: Pictures(files)}\n' : ''}    raise SystemExit(f"{path}: save the samples as .npz, one array per input, first axis the sample")


def samples(path):
    """Feeds by input name, at most SAMPLES of them, drawn by SEED."""
    arrays = read_arrays(path)
    count = len(next(iter(arrays.values())))
    for index in np.sort(np.random.default_rng(SEED).permutation(count)[:SAMPLES]):
        yield {
            name: np.ascontiguousarray(arrays[name][index], dtype).reshape(shape)
            for name, shape, dtype in INPUTS
        }
${images ? `\n\n${picturesSection(recipe.preprocess)}` : ''}`;
}

export function inputsSection(source: SourceView): string {
  const inputs = source.inputs.map(({ name, shape, dtype }) => {
    return `    (${JSON.stringify(name)}, ${pyTuple(shape)}, "${dtype}"),\n`;
  });
  return `INPUTS = [\n${inputs.join('')}]`;
}

function holdsPicture(shape: SourceView['inputs'][number]['shape']): boolean {
  const isChannels = (dim: number | string) => dim === 1 || dim === 3;
  const dims = shape.slice(-3);
  return (shape.length === 3 || (shape.length === 4 && shape[0] === 1)) && dims.some(isChannels);
}

const fits = {
  stretch: 'picture.resize((width, height), Image.Resampling.BILINEAR)',
  crop: 'ImageOps.fit(picture, (width, height), Image.Resampling.BILINEAR)',
  pad: 'ImageOps.pad(picture, (width, height), Image.Resampling.BILINEAR, color=0)',
} as const;

function picturesSection(given: Preprocess | undefined): string {
  const preprocess = { fit: 'stretch', colour: 'rgb', mean: [0], scale: [1], ...given } as const;
  const layout =
    preprocess.layout === undefined ? 'shape[-1] in (1, 3)' : preprocess.layout === 'NHWC' ? 'True' : 'False';
  const numbers = (values: readonly number[]) => pyList(values.map(String));
  return `class Pictures:
    """Picture files that are decoded when they are asked for (needs Pillow)."""

    def __init__(self, files):
        self.files = [file for file in files if file.suffix.lower() in (".png", ".jpg", ".jpeg", ".bmp", ".webp")]

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        from PIL import Image, ImageOps

        _, shape, _ = INPUTS[0]
        channels_last = ${layout}
        height, width, channels = shape[-3:] if channels_last else (*shape[-2:], shape[-3])
        with Image.open(self.files[index]) as file:
            picture = ImageOps.exif_transpose(file).convert("L" if channels == 1 else "RGB")
        picture = ${fits[preprocess.fit]}
        pixels = np.asarray(picture, np.float32).reshape(height, width, channels)
${preprocess.colour === 'bgr' ? '        pixels = pixels[..., ::-1]\n' : ''}        pixels = (pixels - np.float32(${numbers(preprocess.mean)})) / np.float32(${numbers(preprocess.scale)})
        return pixels if channels_last else pixels.transpose(2, 0, 1)
`;
}
