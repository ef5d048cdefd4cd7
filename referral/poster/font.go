package poster

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"

	"siyu/internal/fault"
)

// Font is a typeface with Chinese letters. It is read from its file as letters
// are drawn, because such a file has 20 MB.
type Font struct{ face *opentype.Font }

// usual are where distributions put a font with Chinese letters.
var usual = []string{
	"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
	"/System/Library/Fonts/PingFang.ttc",
	"C:/Windows/Fonts/msyh.ttc",
}

// ErrFont says that there is nothing to write with, and what to do.
var ErrFont = fault.New(fault.KindUnprocessable, "poster.font",
	"服务器上没有中文字体：请安装 fonts-noto-cjk，或在 SIYU_POSTER_FONT 里写上字体文件的路径",
	"the server has no font with Chinese letters: install fonts-noto-cjk, or name a font file in SIYU_POSTER_FONT")

// OpenFont opens the named font, or the first usual one that is there.
func OpenFont(path string) (*Font, error) {
	if path != "" {
		f, err := readFont(path)
		if err != nil {
			return nil, ErrFont.Wrap(err)
		}
		return f, nil
	}
	for _, p := range usual {
		if f, err := readFont(p); err == nil {
			return f, nil
		}
	}
	return nil, ErrFont
}

// readFont opens a font or a collection of them, of which it takes the one for
// simplified Chinese. The file stays open as long as the process.
func readFont(path string) (*Font, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	all, err := opentype.ParseCollectionReaderAt(file)
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("poster: font %s: %w", path, err)
	}
	var first *opentype.Font
	for i := range all.NumFonts() {
		f, err := all.Font(i)
		if err != nil {
			continue
		}
		name, _ := f.Name(nil, sfnt.NameIDFull)
		if strings.Contains(name, " SC") {
			return &Font{f}, nil
		}
		if first == nil {
			first = f
		}
	}
	if first == nil {
		_ = file.Close()
		return nil, fmt.Errorf("poster: font %s holds none", path)
	}
	return &Font{first}, nil
}

// missing is the first letter that the font does not have.
func (f *Font) missing(text string) (rune, bool) {
	var buf sfnt.Buffer
	for _, r := range text {
		if g, err := f.face.GlyphIndex(&buf, r); err != nil || g == 0 {
			return r, true
		}
	}
	return 0, false
}
