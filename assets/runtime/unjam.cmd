@"%~dp0node.exe" "%~dp0cli.js" %*
