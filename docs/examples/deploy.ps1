# NOT EXECUTED by the tests: there is no PowerShell where they run. Needs PowerShell 7.
# Starts a script through the API, waits for its end, prints its output, and exits with its code.
# Usage: pwsh deploy.ps1 MUTEX COMMAND [ARGUMENT...]   (Windows: the host's named pipe)
param([string] $Mutex, [string[]] $Command)
$ErrorActionPreference = 'Stop'
$state = if ($env:UNJAM_HOME) { $env:UNJAM_HOME } else { Join-Path $env:LOCALAPPDATA 'Unjam' }
$unjam = Get-Content (Join-Path $state 'host.json') -Raw | ConvertFrom-Json

function Invoke-Unjam([string] $Method, [hashtable] $Given) {
  # \\.\pipe\NAME
  $pipe = [IO.Pipes.NamedPipeClientStream]::new('.', ($unjam.address -replace '^\\\\[.?]\\pipe\\', ''), 'InOut')
  $pipe.Connect(5000)
  try {
    $body = [Text.Encoding]::UTF8.GetBytes((ConvertTo-Json $Given -Depth 10))
    $head = "POST /rpc/$Method HTTP/1.1`r`nHost: unjam`r`nConnection: close`r`nContent-Type: application/json`r`n" +
      "Authorization: Bearer $($unjam.token)`r`nContent-Length: $($body.Length)`r`n`r`n"
    $bytes = [Text.Encoding]::ASCII.GetBytes($head)
    $pipe.Write($bytes, 0, $bytes.Length)
    $pipe.Write($body, 0, $body.Length)
    $text = [IO.StreamReader]::new($pipe, [Text.Encoding]::UTF8).ReadToEnd()
    $answer = $text.Substring($text.IndexOf("`r`n`r`n") + 4) | ConvertFrom-Json
    if (-not $answer.ok) { throw "$($answer.error.message) $($answer.error.next) ($($answer.error.code))" }
    $answer.value
  } finally { $pipe.Dispose() }
}

# The same ticket never runs twice: the call may be repeated when its answer was lost.
$ticket = "example-$([guid]::NewGuid())"
$null = Invoke-Unjam 'scripts.start' @{
  ticket = $ticket; command = $Command; cwd = "$PWD"; isolation = @{ level = 'full'; mutex = $Mutex }
}
$from = 0
do {
  $page = Invoke-Unjam 'logs.read' @{ ticket = $ticket; from = $from; waitMs = 20000 } # held until there is something new
  $page.entries | Where-Object stream -ne 'unjam' | ForEach-Object { [Console]::Write($_.text) }
  $from = $page.next
} until ($page.complete)
$script = Invoke-Unjam 'scripts.get' @{ ticket = $ticket }
[Console]::Error.WriteLine($script.condition.headline)
exit $(if ($script.verdict -eq 'exited' -and $null -ne $script.exitCode) { $script.exitCode } else { 1 })
