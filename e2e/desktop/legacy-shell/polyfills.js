// What the page expects of its JavaScript and Chromium 83 lacks. Put in front of the page that is built for the test.
const define = (target, name, value) => {
  if (!(name in target)) Object.defineProperty(target, name, { value, configurable: true, writable: true });
};

function at(index) {
  const i = Math.trunc(index) || 0;
  return this[i < 0 ? this.length + i : i];
}
for (const { prototype } of [Array, String, Object.getPrototypeOf(Uint8Array)]) define(prototype, 'at', at);
define(Array.prototype, 'findLast', function (test) {
  return [...this].reverse().find(test);
});
define(Array.prototype, 'findLastIndex', function (test) {
  for (let i = this.length - 1; i >= 0; i--) if (test(this[i], i)) return i;
  return -1;
});
define(Array.prototype, 'toSorted', function (compare) {
  return [...this].sort(compare);
});
define(Array.prototype, 'toReversed', function () {
  return [...this].reverse();
});
define(String.prototype, 'replaceAll', function (from, to) {
  return this.split(from).join(to);
});
const owns = Object.prototype.hasOwnProperty;
define(Object, 'hasOwn', (object, key) => owns.call(object, key));
define(globalThis, 'structuredClone', (value) => JSON.parse(JSON.stringify(value)));
define(crypto, 'randomUUID', () => {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
});

// The bridge of this Electron passes on only an object's own properties, and a file's path is not one.
const { getAsFile } = DataTransferItem.prototype;
DataTransferItem.prototype.getAsFile = function () {
  const file = getAsFile.call(this);
  if (file) Object.defineProperty(file, 'path', { value: file.path, enumerable: true });
  return file;
};
