import { type UtilityProcess, utilityProcess } from 'electron';

const restartsAllowed = 5;
const restartWindowMs = 60_000;

/**
 * Owns the life of the core process: starts it, passes messages on, and starts it again when it ends unasked, at most
 * five times a minute. Messages posted while it is starting wait for it.
 */
export class CoreProcess {
  private readonly script: string;
  private child: UtilityProcess | undefined;
  private ready = false;
  private stopping = false;
  private waiting: unknown[] = [];
  private readonly restarts: number[] = [];
  private messageListener: (message: unknown) => void = () => {};
  private closeListener: (reason: string) => void = () => {};

  /** @param script absolute path of the core's bundle; inside a packaged app its unpacked twin is run. */
  constructor(script: string) {
    this.script = script.replace('app.asar', 'app.asar.unpacked');
  }

  onMessage(listener: (message: unknown) => void): void {
    this.messageListener = listener;
  }

  onClose(listener: (reason: string) => void): void {
    this.closeListener = listener;
  }

  start(): void {
    const child = utilityProcess.fork(this.script, [], {
      serviceName: 'Whittle core',
      stdio: 'inherit',
      env: { ...process.env, WHITTLE_RESOURCES: process.resourcesPath, WHITTLE_SHELL: 'desktop' },
    });
    this.child = child;
    child.on('spawn', () => {
      this.ready = true;
      for (const message of this.waiting.splice(0)) child.postMessage(message);
    });
    child.on('message', (message: unknown) => this.messageListener(message));
    child.on('exit', (code) => this.ended(code));
  }

  post(message: unknown): void {
    if (this.child && this.ready) this.child.postMessage(message);
    else this.waiting.push(message);
  }

  stop(): void {
    this.stopping = true;
    this.child?.kill();
  }

  private ended(code: number): void {
    this.child = undefined;
    this.ready = false;
    if (this.stopping) return;
    const now = Date.now();
    this.restarts.push(now);
    while (this.restarts[0] < now - restartWindowMs) this.restarts.shift();
    if (this.restarts.length > restartsAllowed) {
      this.closeListener(
        `The core ended ${this.restarts.length} times within a minute (last code ${code}); restart Whittle.`,
      );
      return;
    }
    this.start();
    this.closeListener(`The core ended unexpectedly (code ${code}) and was started again.`);
  }
}
