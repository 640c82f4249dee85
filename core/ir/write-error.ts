import { WhittleError } from '../contract/errors.ts';

/** A system's refusal to write, as an error that names the file and what to do. */
export function writeError(path: string, error: unknown): WhittleError {
  if (error instanceof WhittleError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new WhittleError('file.no-space', `There is no space left to write ${path}.`, {
      hint: 'Free some space, or choose another disk; nothing half-written was left.',
      cause: error,
    });
  }
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'permission is missing',
    EPERM: 'permission is missing',
    EROFS: 'the disk is read-only',
    ENOTDIR: 'a part of the path is a file',
    EEXIST: 'a part of the path is a file',
    EISDIR: 'it is a folder',
    ENOTEMPTY: 'it is a folder',
    ENAMETOOLONG: 'the name is too long',
    EFBIG: 'the file is larger than the system allows',
  };
  const reason = (code && reasons[code]) ?? (error as Error).message;
  return new WhittleError('file.unreadable', `${path} cannot be written: ${reason}.`, { cause: error });
}
