import { expect, test } from 'vitest';
import { type CoreChild, CoreSupervisor } from './supervisor.ts';

interface FakeCore extends CoreChild {
  readonly got: unknown[];
  say(message: unknown): void;
  die(how: string): void;
}

function fakeCore(): FakeCore {
  const got: unknown[] = [];
  let hear: (message: unknown) => void = () => {};
  let exit: (how: string) => void = () => {};
  return {
    got,
    post: (message) => void got.push(message),
    onMessage: (listener) => {
      hear = listener;
    },
    onExit: (listener) => {
      exit = listener;
    },
    stop: async () => exit('stopped'),
    say: (message) => hear(message),
    die: (how) => exit(how),
  };
}

function setUp() {
  const cores: FakeCore[] = [];
  const crashes: string[] = [];
  const supervisor = new CoreSupervisor({
    spawn() {
      cores.push(fakeCore());
      return cores.at(-1)!;
    },
    onCrash: (message) => crashes.push(message),
  });
  return { cores, crashes, supervisor };
}

test('clients are kept apart and closed ones are not spoken to', () => {
  const { cores, supervisor } = setUp();
  const one = supervisor.connect();
  const two = supervisor.connect();
  const heard: unknown[] = [];
  one.onMessage((message) => heard.push(['one', message]));
  two.onMessage((message) => heard.push(['two', message]));
  two.post('hello');
  cores[0].say({ client: 1, kind: 'data', data: 'a' });
  cores[0].say({ client: 2, kind: 'data', data: 'b' });
  one.close?.();
  cores[0].say({ client: 1, kind: 'data', data: 'c' });
  expect(heard).toEqual([
    ['one', 'a'],
    ['two', 'b'],
  ]);
  expect(cores[0].got).toEqual([
    { client: 1, kind: 'open' },
    { client: 2, kind: 'open' },
    { client: 2, kind: 'data', data: 'hello' },
    { client: 1, kind: 'close' },
  ]);
});

test('a crash starts a new core, which knows the clients; they are told why', () => {
  const { cores, crashes, supervisor } = setUp();
  const wire = supervisor.connect();
  const heard: unknown[] = [];
  wire.onMessage((message) => heard.push(message));
  cores[0].die('signal SIGSEGV');
  expect(cores).toHaveLength(2);
  expect(heard).toEqual([
    {
      t: 'reset',
      error: expect.objectContaining({ code: 'job.crashed', message: expect.stringContaining('SIGSEGV') }),
    },
  ]);
  wire.post('again');
  expect(cores[1].got).toEqual([
    { client: 1, kind: 'open' },
    { client: 1, kind: 'data', data: 'again' },
  ]);
  expect(crashes).toHaveLength(1);
  cores[0].say({ client: 1, kind: 'data', data: 'from the grave' });
  expect(heard).toHaveLength(1);
});

test('a core that cannot live is not started for ever, but once more when somebody asks', () => {
  const { cores, supervisor } = setUp();
  const wire = supervisor.connect();
  for (let i = 0; i < 6; i++) cores.at(-1)!.die('code 1');
  expect(cores).toHaveLength(6);
  wire.post('please');
  expect(cores).toHaveLength(7);
});

test('a stopped supervisor starts nothing', async () => {
  const { cores, supervisor } = setUp();
  const wire = supervisor.connect();
  let closed = false;
  wire.onClose(() => {
    closed = true;
  });
  await supervisor.stop();
  expect(closed).toBe(true);
  wire.post('x');
  expect(cores).toHaveLength(1);
});
