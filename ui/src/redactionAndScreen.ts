/** One file of the built program: captures are reviewed with the stage and the styles of the redaction editor. */

export * as redaction from './redaction/redactionPages'
export * as screen from './screen/screenPages'
