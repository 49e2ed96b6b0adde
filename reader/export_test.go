package reader

// Next is keys of which each is that of the position after.
func Next(keys KeyTrans) KeyTrans { return next{keys} }

// Shifted is keys that are higher by as much.
func Shifted(keys KeyTrans, by int64) KeyTrans { return shifted{keys, by} }
